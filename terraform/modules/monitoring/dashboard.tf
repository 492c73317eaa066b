# The dashboard of the environment. It is a list of rows from top to bottom; the widgets of a row share its 24 columns evenly.
locals {
  alarm_widgets = {
    for region in local.regions : region => {
      type = "alarm"
      properties = {
        title  = "Alarms in ${region}"
        alarms = [for alarm in local.alarms : alarm.arn if alarm.region == region]
      }
    }
  }

  dashboard_rows = concat(
    [
      { height = 3, widgets = [for region in local.regions : local.alarm_widgets[region]] },
      { height = 6, widgets = [local.user_widget, local.queue_widget, local.age_widget] },
      { height = 6, widgets = [local.sweep_widget, local.state_widget, local.round_widget, local.dead_letter_widget] },
      { height = 6, widgets = [local.error_widget, local.duration_widget, local.trace_latency_widget, local.table_widget] },
    ],
    [
      for region in var.smtp_regions : {
        height  = 6
        widgets = [local.sending_widgets[region], local.problem_widgets[region], local.reputation_widgets[region]]
      }
    ],
    [{ height = 6, widgets = local.trace_widgets }, { height = 6, widgets = [local.link_widget] }],
  )

  dashboard_heights = [for row in local.dashboard_rows : row.height]

  dashboard = {
    widgets = flatten([
      for row, content in local.dashboard_rows : [
        for column, widget in content.widgets : merge(widget, {
          x      = column * floor(24 / length(content.widgets))
          y      = sum(concat([0], slice(local.dashboard_heights, 0, row)))
          width  = floor(24 / length(content.widgets))
          height = content.height
        })
      ]
    ])
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  region         = local.home_region
  dashboard_name = "${local.name}-users"
  dashboard_body = jsonencode(local.dashboard)
}
