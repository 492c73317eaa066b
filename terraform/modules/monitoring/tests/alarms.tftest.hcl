# What raises an alarm, who hears of it, and who may speak on a topic.
mock_provider "aws" {}

override_resource {
  target = aws_sns_topic.operators["eu-central-1"]
  values = { arn = "arn:aws:sns:eu-central-1:111122223333:smtp-test-operators" }
}

override_resource {
  target = aws_sns_topic.feedback["bounces/eu-central-1"]
  values = { arn = "arn:aws:sns:eu-central-1:111122223333:smtp-test-bounces" }
}

override_resource {
  target = aws_sns_topic.feedback["complaints/eu-central-1"]
  values = { arn = "arn:aws:sns:eu-central-1:111122223333:smtp-test-complaints" }
}

override_resource {
  target = aws_sns_topic.operators["eu-west-1"]
  values = { arn = "arn:aws:sns:eu-west-1:111122223333:smtp-test-operators" }
}

override_resource {
  target = aws_sns_topic.feedback["bounces/eu-west-1"]
  values = { arn = "arn:aws:sns:eu-west-1:111122223333:smtp-test-bounces" }
}

override_resource {
  target = aws_sns_topic.feedback["complaints/eu-west-1"]
  values = { arn = "arn:aws:sns:eu-west-1:111122223333:smtp-test-complaints" }
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

run "everything_that_can_go_wrong_has_an_alarm" {
  assert {
    condition = output.alarm_names == tolist(sort([
      "smtp-test-manager-errors", "smtp-test-dead-letter-errors", "smtp-test-sweep-errors",
      "smtp-test-manager-throttles", "smtp-test-dead-letter-throttles", "smtp-test-sweep-throttles",
      "smtp-test-manager-iterator-age", "smtp-test-dead-letters", "smtp-test-parked", "smtp-test-failed-users",
      "smtp-test-drift-repaired", "smtp-test-orphans-found", "smtp-test-orphans-held", "smtp-test-quarantined-users",
      "smtp-test-unchecked-users", "smtp-test-sweep-overdue",
      "smtp-test-bounce-rate-eu-central-1", "smtp-test-bounce-rate-eu-west-1",
      "smtp-test-complaint-rate-eu-central-1", "smtp-test-complaint-rate-eu-west-1",
    ]))
    error_message = "An alarm is missing, or one is new: then docs/operations.md must say what it means."
  }
}

run "every_alarm_reaches_the_operators" {
  assert {
    condition = alltrue([
      for alarm in local.alarms :
      alarm.alarm_actions == toset([output.operators_topic_arns[alarm.region]]) && alarm.ok_actions == alarm.alarm_actions
    ])
    error_message = "An alarm notifies the topic of its own region (CloudWatch refuses another), and says when it is over."
  }

  assert {
    condition     = alltrue([for alarm in local.alarms : length(alarm.alarm_description) > 0 && alarm.actions_enabled != false])
    error_message = "An alarm says what to do."
  }

  assert {
    condition = toset([
      for subscription in aws_sns_topic_subscription.operators :
      "${subscription.protocol} ${subscription.endpoint} ${subscription.topic_arn}"
      ]) == toset([
      for region in var.smtp_regions : "email operators@example.com arn:aws:sns:${region}:111122223333:smtp-test-operators"
    ])
    error_message = "Each mailbox hears of each region."
  }
}

run "no_alarm_sounds_because_nothing_happens" {
  assert {
    condition = alltrue([
      for alarm in local.alarms :
      alarm.treat_missing_data == (
        alarm.namespace == "AWS/SES" ? "ignore" : alarm.metric_name == "SweepRounds" ? "breaching" : "notBreaching"
      )
    ])
    error_message = "Idle is good, but a bad reputation stays bad while nothing is sent, and a sweep that is silent is broken."
  }
}

run "thresholds_are_those_of_aws" {
  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.reputation :
      alarm.threshold == { "Reputation.BounceRate" = 0.05, "Reputation.ComplaintRate" = 0.001 }[alarm.metric_name] &&
      alarm.comparison_operator == "GreaterThanOrEqualToThreshold" && alarm.statistic == "Average" &&
      try(length(alarm.dimensions), 0) == 0
    ])
    error_message = "The account is reviewed at 5 % bounces and 0.1 % complaints. Shares of 1, of the whole account."
  }

  assert {
    condition = alltrue([
      for key, alarm in aws_cloudwatch_metric_alarm.reputation : alarm.region == split("/", key)[1]
    ])
    error_message = "Each region has a reputation of its own."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.iterator_age.threshold == 900000 && aws_cloudwatch_metric_alarm.iterator_age.statistic == "Maximum"
    error_message = "Iterator age is in milliseconds: 15 minutes are 900000."
  }

  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.errors),
        [aws_cloudwatch_metric_alarm.queue_depth["parked"], aws_cloudwatch_metric_alarm.failed_users],
      ) : alarm.threshold == 1 && alarm.evaluation_periods == 1 && alarm.comparison_operator == "GreaterThanOrEqualToThreshold"
    ])
    error_message = "One error, one parked message and one failed user are enough."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.queue_depth["dead-letters"].statistic == "Minimum" &&
      aws_cloudwatch_metric_alarm.queue_depth["dead-letters"].evaluation_periods == 3 &&
      aws_cloudwatch_metric_alarm.queue_depth["parked"].statistic == "Maximum" &&
      { for key, alarm in aws_cloudwatch_metric_alarm.queue_depth : key => alarm.dimensions } == {
        dead-letters = tomap({ QueueName = "smtp-dead-letters-test" })
        parked       = tomap({ QueueName = "smtp-parked-test" })
      }
    )
    error_message = "A dead letter is worked off by itself; one that stays visible for a quarter of an hour is not."
  }
}

run "what_the_sweep_finds_is_told" {
  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.sweep :
      key => "${alarm.metric_name} ${alarm.comparison_operator} ${alarm.threshold}: ${alarm.datapoints_to_alarm} of ${alarm.evaluation_periods}"
      } == {
      drift-repaired    = "SweepRepaired GreaterThanOrEqualToThreshold 1: 1 of 1"
      orphans-found     = "SweepOrphans GreaterThanOrEqualToThreshold 1: 2 of 3"
      orphans-held      = "SweepOrphansHeld GreaterThanOrEqualToThreshold 1: 1 of 4"
      quarantined-users = "SweepQuarantined GreaterThanOrEqualToThreshold 1: 1 of 4"
      unchecked-users   = "SweepErrors GreaterThanOrEqualToThreshold 1: 3 of 4"
    }
    error_message = "A state that one run of a round sees is remembered for the round; errors count when they last."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.sweep_overdue.metric_name == "SweepRounds" &&
      aws_cloudwatch_metric_alarm.sweep_overdue.comparison_operator == "LessThanThreshold" &&
      aws_cloudwatch_metric_alarm.sweep_overdue.threshold == 1 &&
      aws_cloudwatch_metric_alarm.sweep_overdue.evaluation_periods == 24
    )
    error_message = "A day without a whole round."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.sweep), [aws_cloudwatch_metric_alarm.sweep_overdue]) :
      alarm.namespace == "SmtpUsers" && alarm.statistic == "Sum" && alarm.period == 3600 &&
      alarm.dimensions == tomap({ environment = "test", service = "smtp-credential-manager" })
    ])
    error_message = "The sweep reports every hour, under the dimensions of all functions."
  }

  assert {
    condition     = strcontains(aws_cloudwatch_metric_alarm.sweep["quarantined-users"].alarm_description, "URGENT")
    error_message = "A leaked key does not wait for the morning."
  }
}

run "a_team_tunes_what_the_sweep_may_find" {
  command = plan

  variables {
    drift_threshold          = 5
    unchecked_runs_threshold = 6
    sweep_overdue_hours      = 48
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.sweep["drift-repaired"].threshold == 5 &&
      aws_cloudwatch_metric_alarm.sweep["unchecked-users"].datapoints_to_alarm == 6 &&
      aws_cloudwatch_metric_alarm.sweep["unchecked-users"].evaluation_periods == 7 &&
      aws_cloudwatch_metric_alarm.sweep_overdue.evaluation_periods == 48
    )
    error_message = "Each threshold reaches its alarm."
  }
}

run "a_threshold_that_always_or_never_sounds_is_refused" {
  command = plan

  variables {
    drift_threshold          = 0
    unchecked_runs_threshold = 24
    sweep_overdue_hours      = 2
  }

  expect_failures = [var.drift_threshold, var.unchecked_runs_threshold, var.sweep_overdue_hours]
}

run "metrics_are_seen_under_the_names_that_the_code_gives_them" {
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.failed_users.metric_name == "UserFailed" &&
      aws_cloudwatch_metric_alarm.failed_users.dimensions == tomap({ environment = "test", service = "smtp-credential-manager" })
    )
    error_message = "Embedded metrics are found only with exactly their dimensions."
  }

  assert {
    condition = alltrue([
      for pattern in [
        "\nSERVICE = \"${var.metric_service}\"\n",
        "Metrics\\(namespace=\"${aws_cloudwatch_metric_alarm.failed_users.namespace}\", service=SERVICE\\)",
        "set_default_dimensions\\(environment=",
        "f\"User\\{result\\.result\\.capitalize\\(\\)\\}\"",
        "[( ]UserRetried=",
      ] : can(regex(pattern, file("${path.module}/../../../reconciler/manager/handlers/telemetry.py")))
    ])
    error_message = "reconciler/manager/handlers/telemetry.py reports under other names than the alarm and the dashboard expect."
  }

  assert {
    condition = alltrue([
      for pattern in concat(["[( ]SweepRounds=", "f\"Sweep\\{''\\.join\\(word\\.capitalize\\(\\) for word in name\\.split\\('_'\\)\\)\\}\""], [
        for metric in concat(local.sweep_metrics, ["SweepChecked"]) :
        "\"${join("_", [for word in regexall("[A-Z][a-z]+", trimprefix(metric, "Sweep")) : lower(word)])}\": result\\."
      ]) : can(regex(pattern, file("${path.module}/../../../reconciler/manager/handlers/sweep.py")))
    ])
    error_message = "reconciler/manager/handlers/sweep.py reports under other names than the alarms and the dashboard expect."
  }

  assert {
    condition     = can(regex("[( ]DeadLetterParked=", file("${path.module}/../../../reconciler/manager/handlers/dead_letter.py")))
    error_message = "reconciler/manager/handlers/dead_letter.py reports under another name than the dashboard expects."
  }
}

run "only_this_account_may_speak_to_the_operators" {
  assert {
    condition = alltrue([
      for region, policy in aws_sns_topic_policy.operators : jsondecode(policy.policy).Statement == [{
        Sid       = "AlarmsOfThisEnvironment"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:${region}:111122223333:smtp-test-operators"
        Condition = {
          StringEquals = { "aws:SourceAccount" = "111122223333" }
          ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:${region}:111122223333:alarm:smtp-test-*" }
        }
      }]
    ])
    error_message = "One statement: CloudWatch, for alarms of this environment, account and region."
  }

  assert {
    condition     = alltrue([for alarm in local.alarms : startswith(alarm.alarm_name, "smtp-test-")])
    error_message = "An alarm with another name could not publish."
  }
}

run "only_ses_may_speak_of_bounces_and_complaints" {
  assert {
    condition = alltrue([
      for key, policy in aws_sns_topic_policy.feedback : jsondecode(policy.policy).Statement == [{
        Sid       = "EventsOfOurConfigurationSet"
        Effect    = "Allow"
        Principal = { Service = "ses.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:${split("/", key)[1]}:111122223333:smtp-test-${split("/", key)[0]}"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = "111122223333"
            "aws:SourceArn"     = "arn:aws:ses:${split("/", key)[1]}:111122223333:configuration-set/smtp-test"
          }
        }
      }]
    ])
    error_message = "One statement: SES, for this account, through our configuration set of the same region."
  }
}

run "bounces_and_complaints_each_reach_their_topic_of_the_region" {
  assert {
    condition = toset([
      for destination in aws_sesv2_configuration_set_event_destination.feedback : join(" ", [
        destination.region, destination.configuration_set_name, join(",", destination.event_destination[0].matching_event_types),
        destination.event_destination[0].enabled, destination.event_destination[0].sns_destination[0].topic_arn,
      ])
      ]) == toset([
      "eu-central-1 smtp-test BOUNCE true ${output.bounce_topic_arns["eu-central-1"]}",
      "eu-central-1 smtp-test COMPLAINT true ${output.complaint_topic_arns["eu-central-1"]}",
      "eu-west-1 smtp-test BOUNCE true ${output.bounce_topic_arns["eu-west-1"]}",
      "eu-west-1 smtp-test COMPLAINT true ${output.complaint_topic_arns["eu-west-1"]}",
    ])
    error_message = "SES publishes only to a topic of its own region."
  }

  assert {
    condition = (
      output.bounce_topic_arns == { for region in var.smtp_regions : region => "arn:aws:sns:${region}:111122223333:smtp-test-bounces" } &&
      output.complaint_topic_arns == { for region in var.smtp_regions : region => "arn:aws:sns:${region}:111122223333:smtp-test-complaints" } &&
      output.operators_topic_arn == "arn:aws:sns:eu-central-1:111122223333:smtp-test-operators"
    )
    error_message = "The outputs name the topics of each region."
  }
}

run "no_topic_uses_the_key_that_alarms_cannot_use" {
  assert {
    condition = alltrue([
      for topic in concat(values(aws_sns_topic.operators), values(aws_sns_topic.feedback)) : topic.kms_master_key_id == null
    ])
    error_message = "With alias/aws/sns every alarm, bounce and complaint is lost."
  }
}

run "the_aws_managed_key_is_refused" {
  command = plan

  variables {
    topic_kms_keys = { eu-central-1 = "alias/aws/sns" }
  }

  expect_failures = [var.topic_kms_keys]
}

run "nothing_has_a_standing_cost" {
  assert {
    condition = length(setsubtract(
      flatten([for file in fileset(path.module, "*.tf") : regexall("(?m)^resource \"([a-z0-9_]+)\"", file("${path.module}/${file}"))]),
      [
        "aws_cloudwatch_dashboard", "aws_cloudwatch_metric_alarm", "aws_cloudwatch_query_definition", "aws_sns_topic",
        "aws_sns_topic_policy", "aws_sns_topic_subscription", "aws_sesv2_configuration_set_event_destination",
      ],
    )) == 0
    error_message = "Beyond alarms and one dashboard (docs/monitoring.md: costs) nothing is paid for while idle. Judge a new type, then add it."
  }
}

run "functions_may_live_where_no_mail_is_sent" {
  command = plan

  variables {
    home_region  = "eu-north-1"
    smtp_regions = ["eu-central-1"]
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.iterator_age.region == "eu-north-1" &&
      toset(keys(aws_sns_topic.operators)) == toset(["eu-north-1", "eu-central-1"]) &&
      keys(aws_cloudwatch_metric_alarm.reputation) == ["bounce-rate/eu-central-1", "complaint-rate/eu-central-1"]
    )
    error_message = "Functions and queues are watched at home, mail where it is sent."
  }
}

run "a_threshold_in_per_cent_is_refused" {
  command = plan

  variables {
    bounce_rate_threshold    = 5
    complaint_rate_threshold = 0.1
  }

  expect_failures = [var.bounce_rate_threshold, var.complaint_rate_threshold]
}

run "every_function_must_be_watched" {
  command = plan

  variables {
    functions = { manager = { name = "smtp-credential-manager-test", log_group = "/aws/lambda/smtp-credential-manager-test" } }
  }

  expect_failures = [var.functions]
}
