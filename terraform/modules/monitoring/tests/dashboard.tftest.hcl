# What the dashboard shows, and that it can be drawn.
mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:111122223333:any" }
  }
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

run "it_answers_the_questions_of_operations" {
  assert {
    condition = length(setsubtract(
      [
        "SmtpUsers UserActive", "SmtpUsers UserDisabled", "SmtpUsers UserFailed", "SmtpUsers UserRemoved", "SmtpUsers UserRetried",
        "SmtpUsers DeadLetterParked", "SmtpUsers SweepChecked", "SmtpUsers SweepRepaired", "SmtpUsers SweepOrphans",
        "SmtpUsers SweepOrphansRemoved", "SmtpUsers SweepOrphansHeld", "SmtpUsers SweepQuarantined", "SmtpUsers SweepErrors",
        "SmtpUsers SweepRounds", "AWS/SQS ApproximateNumberOfMessagesVisible", "AWS/Lambda Errors", "AWS/Lambda Throttles", "AWS/Lambda Duration",
        "AWS/Lambda IteratorAge", "AWS/SES Send", "AWS/SES Delivery", "AWS/SES Bounce", "AWS/SES Complaint",
        "AWS/SES Reputation.BounceRate", "AWS/SES Reputation.ComplaintRate",
      ],
      flatten([
        for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
          for metric in try(widget.properties.metrics, []) : try("${metric[0]} ${metric[1]}", "expression")
        ]
      ]),
    )) == 0
    error_message = "A metric is not on the dashboard."
  }

  assert {
    condition = toset(flatten([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
        for metric in try(widget.properties.metrics, []) : "${metric[3]} ${metric[4].stat}" if try(metric[1], "") == "Duration"
      ]
      ])) == toset(flatten([
      for function in var.functions : ["${function.name} p50", "${function.name} p99"]
    ]))
    error_message = "Duration of each function, its middle and its slow end."
  }

  assert {
    condition = alltrue([
      for text in ["count_distinct(xray_trace_id)", "record.tracing.value", "annotation.smtp_user"] :
      strcontains(aws_cloudwatch_dashboard.this.dashboard_body, text)
    ])
    error_message = "Traces are summed up, and the way to one is told."
  }
}

run "every_region_that_sends_is_shown_from_its_own_metrics" {
  assert {
    condition = {
      for region in var.smtp_regions : region => toset([
        for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title
        if try(widget.properties.region == region, false) && strcontains(jsonencode(widget), "AWS/SES")
      ])
      } == {
      for region in var.smtp_regions : region => toset([
        "Mail of ${region}", "Delivery rate of ${region} (%)", "Bounce and complaint rate of ${region} (%)",
      ])
    }
    error_message = "SES metrics exist per region, and a widget shows only those of its own region property."
  }
}

run "it_stays_within_what_is_free" {
  assert {
    condition = length(flatten([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
        for metric in try(widget.properties.metrics, []) : "metric" if can("${metric[0]} ${metric[1]}")
      ]
    ])) <= 50
    error_message = "A dashboard of more than 50 metrics is paid for."
  }
}

run "widgets_fill_the_grid_without_overlap" {
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
    error_message = "Two widgets share a place."
  }

  assert {
    condition = alltrue([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.x + widget.width <= 24
    ])
    error_message = "The grid is 24 columns wide."
  }
}

run "saved_queries_read_every_function_by_the_fields_that_the_code_writes" {
  assert {
    condition = (
      length(aws_cloudwatch_query_definition.this) == 6 &&
      alltrue([
        for query in aws_cloudwatch_query_definition.this :
        toset(query.log_group_names) == toset([for function in var.functions : function.log_group]) &&
        startswith(query.name, "smtp-users/test/")
      ])
    )
    error_message = "What happened to a user may stand in any function's log."
  }

  assert {
    condition = alltrue([
      for field in ["smtp_user", "result", "steps", "correlation_id", "code", "reason"] :
      strcontains(aws_cloudwatch_query_definition.this["what happened to user NAME"].query_string, field) &&
      strcontains(file("${path.module}/../../../reconciler/manager/handlers/telemetry.py"), "\"${field}\": ")
    ])
    error_message = "A field that telemetry.py does not log finds nothing."
  }

  assert {
    condition = alltrue(flatten([
      for query, source in {
        "changed by hand" = { file = "telemetry.py", words = ["differences", "warnings"] }
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
    error_message = "A field that the handlers do not log finds nothing."
  }

  assert {
    condition = (
      strcontains(aws_cloudwatch_query_definition.this["what happened to user NAME"].query_string, "filter smtp_user = \"NAME\"") &&
      strcontains(aws_cloudwatch_query_definition.this["by correlation id"].query_string, "filter correlation_id = ") &&
      strcontains(aws_cloudwatch_query_definition.this["failed users"].query_string, "result = \"failed\"")
    )
    error_message = "Each query answers its question."
  }
}
