# One dashboard for the environment. Rows of widgets are laid out from top to bottom; a row shares its 24 columns evenly.
locals {
  user_widget = {
    type = "metric"
    properties = {
      title   = "Credential operations"
      region  = local.home_region
      stat    = "Sum"
      period  = 300
      metrics = [for metric in local.user_metrics : local.own_metrics[metric]]
    }
  }

  own_metrics = {
    for metric in concat(local.user_metrics, local.sweep_metrics, ["DeadLetterParked", "SweepChecked", "SweepRounds"]) :
    metric => concat([local.metric_namespace, metric], flatten([for key, value in local.metric_dimensions : [key, value]]))
  }

  queue_widget = {
    type = "metric"
    properties = {
      title  = "Queue depth"
      region = local.home_region
      stat   = "Maximum"
      period = 300
      metrics = [
        for queue in local.queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name]
      ]
    }
  }

  dead_letter_widget = {
    type = "metric"
    properties = {
      title   = "Dead letters given up on"
      region  = local.home_region
      stat    = "Sum"
      period  = 300
      metrics = [local.own_metrics["DeadLetterParked"]]
    }
  }

  sweep_widget = {
    type = "metric"
    properties = {
      title   = "Sweep: drift and orphans"
      region  = local.home_region
      stat    = "Sum"
      period  = 3600
      metrics = [for metric in local.sweep_metrics : local.own_metrics[metric]]
    }
  }

  round_widget = {
    type = "metric"
    properties = {
      title  = "Sweep: users checked (left) and whole rounds (right)"
      region = local.home_region
      stat   = "Sum"
      period = 3600
      yAxis  = { left = { min = 0 }, right = { min = 0 } }
      metrics = [
        local.own_metrics["SweepChecked"],
        concat(local.own_metrics["SweepRounds"], [{ yAxis = "right" }]),
      ]
    }
  }

  age_widget = {
    type = "metric"
    properties = {
      title   = "Iterator age (ms)"
      region  = local.home_region
      stat    = "Maximum"
      period  = 300
      metrics = [["AWS/Lambda", "IteratorAge", "FunctionName", var.functions["manager"].name]]
      annotations = {
        horizontal = [{ label = "alarm", value = var.iterator_age_threshold_minutes * 60 * 1000 }]
      }
    }
  }

  error_widget = {
    type = "metric"
    properties = {
      title  = "Function errors and throttles"
      region = local.home_region
      stat   = "Sum"
      period = 300
      metrics = concat([
        for metric in ["Errors", "Throttles"] : [
          for role, function in var.functions :
          ["AWS/Lambda", metric, "FunctionName", function.name, { label = "${local.roles[role]} ${lower(metric)}" }]
        ]
      ]...)
    }
  }

  duration_widget = {
    type = "metric"
    properties = {
      title  = "Function duration, p50 and p99 (ms)"
      region = local.home_region
      period = 300
      metrics = concat([
        for stat in ["p50", "p99"] : [
          for role, function in var.functions :
          ["AWS/Lambda", "Duration", "FunctionName", function.name, { stat = stat, label = "${local.roles[role]} ${stat}" }]
        ]
      ]...)
    }
  }

  table_widget = {
    type = "metric"
    properties = {
      title  = "Table throttling"
      region = local.home_region
      stat   = "Sum"
      period = 300
      metrics = [
        for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : ["AWS/DynamoDB", metric, "TableName", var.table_name]
      ]
    }
  }

  sending_widgets = {
    for region in var.smtp_regions : region => {
      type = "metric"
      properties = {
        title   = "Mail of ${region}"
        region  = region
        stat    = "Sum"
        period  = 3600
        metrics = [for metric in ["Send", "Delivery", "Bounce", "Complaint"] : ["AWS/SES", metric]]
      }
    }
  }

  delivery_widgets = {
    for region in var.smtp_regions : region => {
      type = "metric"
      properties = {
        title  = "Delivery rate of ${region} (%)"
        region = region
        stat   = "Sum"
        period = 3600
        yAxis  = { left = { min = 0, max = 100 } }
        metrics = [
          [{ expression = "100 * delivered / sent", label = "delivered", id = "rate" }],
          ["AWS/SES", "Delivery", { id = "delivered", visible = false }],
          ["AWS/SES", "Send", { id = "sent", visible = false }],
        ]
      }
    }
  }

  reputation_widgets = {
    for region in var.smtp_regions : region => {
      type = "metric"
      properties = {
        title  = "Bounce and complaint rate of ${region} (%)"
        region = region
        stat   = "Average"
        period = 3600
        yAxis  = { left = { min = 0 }, right = { min = 0 } }
        metrics = [
          [{ expression = "100 * bounces", label = "bounces (left)", id = "bounce_rate" }],
          [{ expression = "100 * complaints", label = "complaints (right)", id = "complaint_rate", yAxis = "right" }],
          ["AWS/SES", "Reputation.BounceRate", { id = "bounces", visible = false }],
          ["AWS/SES", "Reputation.ComplaintRate", { id = "complaints", visible = false }],
        ]
        annotations = {
          horizontal = [
            { label = "bounces: alarm", value = 100 * var.bounce_rate_threshold },
            { label = "complaints: alarm", value = 100 * var.complaint_rate_threshold, yAxis = "right" },
          ]
        }
      }
    }
  }

  alarm_widgets = {
    for region in local.regions : region => {
      type = "alarm"
      properties = {
        title  = "Alarms of ${region}"
        alarms = [for alarm in local.alarms : alarm.arn if alarm.region == region]
      }
    }
  }

  # Every log line of a traced invocation carries its trace id, so the logs can sum up the traces without a cost at idle.
  log_sources = join(" | ", [for group in local.log_groups : "SOURCE '${group}'"])

  trace_widgets = [
    {
      type = "log"
      properties = {
        title  = "Traces by result"
        region = local.home_region
        view   = "table"
        query = join(" | ", [
          local.log_sources,
          "filter ispresent(smtp_user) and message != \"dead letter parked\"",
          "fields coalesce(result, \"retried\") as outcome",
          "stats count_distinct(xray_trace_id) as traces, count_distinct(smtp_user) as users by outcome",
        ])
      }
    },
    {
      type = "log"
      properties = {
        title  = "Slowest invocations and their traces"
        region = local.home_region
        view   = "table"
        query = join(" | ", [
          local.log_sources,
          "filter type = \"platform.report\"",
          "fields @timestamp, record.metrics.durationMs as ms, record.status as status, record.tracing.value as trace",
          "sort ms desc",
          "limit 10",
        ])
      }
    },
    {
      type = "text"
      properties = {
        markdown = <<-EOT
          **Traces of one user or one change**: CloudWatch, *X-Ray traces*, *Traces*, with one of these filters:

              annotation.smtp_user = "NAME"
              annotation.correlation_id = "ID"
              annotation.result = "failed"

          **What a log line says about it**: CloudWatch, *Logs Insights*, saved queries *smtp-users/${var.environment}*.
        EOT
      }
    },
  ]

  dashboard_rows = concat(
    [
      { height = 3, widgets = [for region in local.regions : local.alarm_widgets[region]] },
      { height = 6, widgets = [local.user_widget, local.queue_widget, local.age_widget] },
      { height = 6, widgets = [local.sweep_widget, local.round_widget, local.dead_letter_widget] },
      { height = 6, widgets = [local.error_widget, local.duration_widget, local.table_widget] },
    ],
    [
      for region in var.smtp_regions : {
        height  = 6
        widgets = [local.sending_widgets[region], local.delivery_widgets[region], local.reputation_widgets[region]]
      }
    ],
    [{ height = 6, widgets = local.trace_widgets }],
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
