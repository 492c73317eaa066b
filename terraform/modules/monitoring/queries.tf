# Saved queries for CloudWatch Logs Insights over the functions' structured logs. Replace the words in capitals.
locals {
  log_groups = sort(distinct([for function in var.functions : function.log_group]))

  query_fields = "fields @timestamp, level, message, smtp_user, result, code, reason, correlation_id, xray_trace_id"

  queries = {
    "history of user NAME" = <<-EOT
      ${local.query_fields}, steps.0, steps.1, steps.2, steps.3, steps.4, steps.5
      | filter smtp_user = "NAME"
      | sort @timestamp asc
      | limit 500
    EOT

    "failed users" = <<-EOT
      ${local.query_fields}
      | filter ispresent(smtp_user) and (result = "failed" or level = "ERROR")
      | sort @timestamp desc
      | limit 500
    EOT

    "changed manually" = <<-EOT
      fields @timestamp, smtp_user, differences.0, differences.1, differences.2, differences.3, warnings.0, result
      | filter ispresent(differences.0) or ispresent(warnings.0)
      | sort @timestamp desc
      | limit 500
    EOT

    "sweeps" = <<-EOT
      fields @timestamp, checked, repaired, failed, missed, trigger_broken, trigger_fault, unmanaged, errors, quarantined,
        orphans, orphans_removed, orphans_held, ses_sandbox, ses_paused, ses_review, finished, stopped
      | filter message = "sweep finished"
      | sort @timestamp desc
      | limit 200
    EOT

    "dead letters" = <<-EOT
      fields @timestamp, message, smtp_user, reason, attempts, correlation_id, users.0, users.1, users.2, users.3
      | filter message in ["dead letter split", "dead letter parked"]
      | sort @timestamp desc
      | limit 500
    EOT

    "by correlation id" = <<-EOT
      ${local.query_fields}
      | filter correlation_id = "CORRELATION-ID"
      | sort @timestamp asc
      | limit 500
    EOT
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = local.queries

  region          = local.home_region
  name            = "smtp-users/${var.environment}/${each.key}"
  log_group_names = local.log_groups
  query_string    = trimspace(each.value)
}
