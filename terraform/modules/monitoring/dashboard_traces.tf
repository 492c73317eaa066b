# Widgets that summarize logs and traces.
locals {
  # Every log line of a traced invocation contains its trace id. Log queries can therefore summarize traces, and they cost
  # nothing while the dashboard is not open.
  log_sources = join(" | ", [for group in local.log_groups : "SOURCE '${group}'"])

  trace_widgets = [
    {
      type = "metric"
      properties = {
        title   = "Traces: all, with faults, slower than ${local.slow_seconds} s"
        region  = local.home_region
        stat    = "Sum"
        period  = 300
        metrics = [for group in aws_xray_group.this : ["AWS/X-Ray", "ApproximateTraceCount", "GroupName", group.group_name]]
      }
    },
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
  ]

  # X-Ray publishes no latency of a group. Lambda reports the duration of each traced invocation together with its trace.
  trace_latency_widget = {
    type = "log"
    properties = {
      title  = "Duration of traced invocations (ms)"
      region = local.home_region
      view   = "table"
      query = join(" | ", [
        local.log_sources,
        "filter type = \"platform.report\" and ispresent(record.tracing.value)",
        join(" ", [
          "stats count(*) as traces, pct(record.metrics.durationMs, 50) as p50, pct(record.metrics.durationMs, 99) as p99,",
          "max(record.metrics.durationMs) as slowest by @log",
        ]),
      ])
    }
  }

  link_widget = {
    type = "text"
    properties = {
      markdown = <<-EOT
        **Traces**: [trace map](${local.trace_map_link}) (select the group *${local.name}*) · [all](${local.trace_links.all}) · [with faults](${local.trace_links.faults}) · [slower than ${local.slow_seconds} s](${local.trace_links.slow})

        **Filters for traces**: `annotation.environment = "${var.environment}" AND annotation.smtp_user = "NAME"` · `annotation.correlation_id = "ID"` · `annotation.result = "failed"`

        **Saved queries** (folder *smtp-users/${var.environment}* of Logs Insights): ${join(" · ", [for name, link in local.query_links : "[${name}](${link})"])}
      EOT
    }
  }
}
