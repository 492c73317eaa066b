# Widgets that summarize logs and traces.
locals {
  # Every log line of a traced invocation contains its trace id. Log queries can therefore summarize traces, and they cost
  # nothing while the dashboard is not open.
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
          **Find the traces of a user or a change**: open *CloudWatch → X-Ray traces → Traces* and use one of these filters:

              annotation.smtp_user = "NAME"
              annotation.correlation_id = "ID"
              annotation.result = "failed"

          **Find the log lines**: open *CloudWatch → Logs Insights → Saved queries* and use the folder *smtp-users/${var.environment}*.
        EOT
      }
    },
  ]
}
