# Widgets that summarize logs and traces.
locals {
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
}
