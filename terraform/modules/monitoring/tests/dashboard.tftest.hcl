# The content and the layout of the dashboard, and the saved queries.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment       = "test"
  account_id        = "111122223333"
  smtp_regions      = ["eu-central-1", "eu-west-1"]
  configuration_set = "smtp-test"
  functions = {
    manager     = { name = "smtp-credential-manager-test", log_group = "/aws/lambda/smtp-credential-manager-test" }
    dead_letter = { name = "smtp-dead-letters-test", log_group = "/aws/lambda/smtp-dead-letters-test" }
    sweep       = { name = "smtp-sweep-test", log_group = "/aws/lambda/smtp-sweep-test" }
  }
  dead_letter_queue_name = "smtp-dead-letters-test"
  parking_queue_name     = "smtp-parked-test"
  table_name             = "smtp-users-test"
  alarm_emails           = ["operators@example.com"]
}

run "the_dashboard_contains_every_metric" {
  assert {
    condition = length(setsubtract(
      [
        "SmtpUsers UserActive", "SmtpUsers UserDisabled", "SmtpUsers UserFailed", "SmtpUsers UserRemoved", "SmtpUsers UserRetried",
        "SmtpUsers DeadLetterParked", "SmtpUsers SweepChecked", "SmtpUsers SweepRepaired", "SmtpUsers SweepOrphans",
        "SmtpUsers SweepOrphansRemoved", "SmtpUsers SweepOrphansHeld", "SmtpUsers SweepQuarantined", "SmtpUsers SweepErrors",
        "SmtpUsers SweepRounds", "SmtpUsers SweepFailed", "SmtpUsers SweepMissed", "SmtpUsers SweepUnmanaged", "SmtpUsers SweepSesSandbox",
        "AWS/X-Ray ApproximateTraceCount", "AWS/SQS ApproximateNumberOfMessagesVisible", "AWS/Lambda Errors", "AWS/Lambda Throttles", "AWS/Lambda Duration",
        "AWS/Lambda IteratorAge", "AWS/SES Send", "AWS/SES Delivery", "AWS/SES Bounce", "AWS/SES Complaint",
        "AWS/SES Reputation.BounceRate", "AWS/SES Reputation.ComplaintRate",
      ],
      flatten([
        for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
          for metric in try(widget.properties.metrics, []) : try("${metric[0]} ${metric[1]}", "expression")
        ]
      ]),
    )) == 0
    error_message = "The dashboard does not contain every metric."
  }

  assert {
    condition = toset(flatten([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
        for metric in try(widget.properties.metrics, []) : "${metric[3]} ${metric[4].stat}" if try(metric[1], "") == "Duration"
      ]
      ])) == toset(flatten([
      for function in var.functions : ["${function.name} p50", "${function.name} p99"]
    ]))
    error_message = "The dashboard must show p50 and p99 of the duration of each function."
  }

  assert {
    condition = alltrue([
      for text in ["count_distinct(xray_trace_id)", "record.tracing.value", "pct(record.metrics.durationMs, 99)", "annotation.smtp_user"] :
      strcontains(aws_cloudwatch_dashboard.this.dashboard_body, text)
    ])
    error_message = "The dashboard must summarize traces and explain how to find one."
  }
}

run "each_sending_region_has_widgets_with_its_own_metrics" {
  assert {
    condition = {
      for region in var.smtp_regions : region => toset([
        for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title
        if try(widget.properties.region == region, false) && strcontains(jsonencode(widget), "AWS/SES")
      ])
      } == {
      for region in var.smtp_regions : region => toset([
        "Mail in ${region}, and delivery rate (%, right)", "Bounce and complaint rate in ${region} (%)",
      ])
    }
    error_message = "SES metrics exist per region, and a widget shows only the metrics of its region property."
  }
}

run "the_dashboard_stays_within_the_free_tier" {
  assert {
    condition = length(flatten([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
        for metric in try(widget.properties.metrics, []) : "metric" if can("${metric[0]} ${metric[1]}")
      ]
    ])) <= 50
    error_message = "A dashboard with more than 50 metrics has a cost."
  }
}

run "widgets_fit_into_the_grid_without_overlap" {
  assert {
    condition = length(flatten([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
        for x in range(widget.x, widget.x + widget.width) : [for y in range(widget.y, widget.y + widget.height) : "${x},${y}"]
      ]
      ])) == length(distinct(flatten([
        for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
          for x in range(widget.x, widget.x + widget.width) : [for y in range(widget.y, widget.y + widget.height) : "${x},${y}"]
        ]
    ])))
    error_message = "Two widgets overlap."
  }

  assert {
    condition = alltrue([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.x + widget.width <= 24
    ])
    error_message = "The grid is 24 columns wide."
  }
}

run "saved_queries_cover_every_function_and_use_fields_that_the_code_logs" {
  assert {
    condition = (
      length(aws_cloudwatch_query_definition.this) == 6 &&
      alltrue([
        for query in aws_cloudwatch_query_definition.this :
        toset(query.log_group_names) == toset([for function in var.functions : function.log_group]) &&
        startswith(query.name, "smtp-users/test/")
      ])
    )
    error_message = "A query must read the logs of all functions, in the folder of the environment."
  }

  assert {
    condition = alltrue([
      for field in ["smtp_user", "result", "steps", "correlation_id", "code", "reason"] :
      strcontains(aws_cloudwatch_query_definition.this["history of user NAME"].query_string, field) &&
      strcontains(file("${path.module}/../../../reconciler/manager/handlers/telemetry.py"), "\"${field}\": ")
    ])
    error_message = "reconciler/manager/handlers/telemetry.py does not log a field of the query."
  }

  assert {
    condition = alltrue(flatten([
      for query, source in {
        "changed manually" = { file = "telemetry.py", words = ["differences", "warnings"] }
        "sweeps" = { file = "sweep.py", words = [
          "checked", "repaired", "errors", "quarantined", "orphans", "orphans_removed", "orphans_held", "finished", "stopped", "sweep finished",
        ] }
        "dead letters" = { file = "dead_letter.py", words = [
          "dead letter split", "dead letter parked", "smtp_user", "reason", "attempts", "correlation_id", "users",
        ] }
        } : [
        for word in source.words :
        strcontains(aws_cloudwatch_query_definition.this[query].query_string, word) &&
        can(regex("\"${word}\"|[( ]${word}=", file("${path.module}/../../../reconciler/manager/handlers/${source.file}")))
      ]
    ]))
    error_message = "The handlers do not log a field of the query."
  }

  assert {
    condition = (
      strcontains(aws_cloudwatch_query_definition.this["history of user NAME"].query_string, "filter smtp_user = \"NAME\"") &&
      strcontains(aws_cloudwatch_query_definition.this["by correlation id"].query_string, "filter correlation_id = ") &&
      strcontains(aws_cloudwatch_query_definition.this["failed users"].query_string, "result = \"failed\"")
    )
    error_message = "A query does not filter by what its name says."
  }
}
