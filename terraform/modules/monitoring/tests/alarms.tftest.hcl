# When an alarm fires, and who receives it.
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

run "every_failure_mode_has_an_alarm" {
  assert {
    condition = output.alarm_names == tolist(sort([
      "smtp-test-manager-errors", "smtp-test-dead-letter-errors", "smtp-test-sweep-errors",
      "smtp-test-manager-throttles", "smtp-test-dead-letter-throttles", "smtp-test-sweep-throttles",
      "smtp-test-manager-iterator-age", "smtp-test-dead-letters", "smtp-test-parked", "smtp-test-failed-users", "smtp-test-removed-users",
      "smtp-test-drift-repaired", "smtp-test-orphans-found", "smtp-test-orphans-held", "smtp-test-quarantined-users",
      "smtp-test-unchecked-users", "smtp-test-sweep-overdue", "smtp-test-trigger-broken", "smtp-test-missed-events",
      "smtp-test-unmanaged-grants", "smtp-test-sending-paused", "smtp-test-sending-under-review",
      "smtp-test-bounce-rate-eu-central-1", "smtp-test-bounce-rate-eu-west-1",
      "smtp-test-bounce-rate-warning-eu-central-1", "smtp-test-bounce-rate-warning-eu-west-1",
      "smtp-test-complaint-rate-eu-central-1", "smtp-test-complaint-rate-eu-west-1",
      "smtp-test-complaint-rate-warning-eu-central-1", "smtp-test-complaint-rate-warning-eu-west-1",
    ]))
    error_message = "An alarm is missing or new. Describe a new alarm in docs/operations.md, then add it here."
  }
}

run "every_alarm_reaches_the_operators" {
  assert {
    condition = alltrue([
      for alarm in local.alarms :
      alarm.alarm_actions == toset([output.operators_topic_arns[alarm.region]]) && alarm.ok_actions == alarm.alarm_actions
    ])
    error_message = "An alarm must notify the topic of its own region (CloudWatch rejects another one), and also when it returns to OK."
  }

  assert {
    condition = alltrue([
      for alarm in local.alarms :
      can(regex("Runbook: docs/(operations|monitoring)\\.md\\.$", alarm.alarm_description)) && alarm.actions_enabled != false
    ])
    error_message = "The description of an alarm must end with its runbook, and its actions must be enabled."
  }

  assert {
    condition = toset([
      for subscription in aws_sns_topic_subscription.operators :
      "${subscription.protocol} ${subscription.endpoint} ${subscription.topic_arn}"
      ]) == toset([
      for region in var.smtp_regions : "email operators@example.com arn:aws:sns:${region}:111122223333:smtp-test-operators"
    ])
    error_message = "Each email address must be subscribed in each region."
  }
}

run "no_alarm_fires_because_the_system_is_idle" {
  assert {
    condition = alltrue([
      for alarm in local.alarms :
      alarm.treat_missing_data == (
        alarm.namespace == "AWS/SES" ? "ignore" : alarm.metric_name == "SweepRounds" ? "breaching" : "notBreaching"
      )
    ])
    error_message = "Missing data must not raise an alarm, with two exceptions: a reputation alarm keeps its state, and a sweep that reports nothing is an error."
  }
}

run "rates_warn_before_aws_reviews_the_account" {
  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.reputation :
      key => "${alarm.region} ${alarm.metric_name} ${alarm.comparison_operator} ${alarm.threshold} ${alarm.statistic} ${try(length(alarm.dimensions), 0)}"
      } == merge([
        for region in var.smtp_regions : {
          "bounce-rate-warning/${region}"    = "${region} Reputation.BounceRate GreaterThanOrEqualToThreshold 0.02 Average 0"
          "bounce-rate/${region}"            = "${region} Reputation.BounceRate GreaterThanOrEqualToThreshold 0.05 Average 0"
          "complaint-rate-warning/${region}" = "${region} Reputation.ComplaintRate GreaterThanOrEqualToThreshold 0.0005 Average 0"
          "complaint-rate/${region}"         = "${region} Reputation.ComplaintRate GreaterThanOrEqualToThreshold 0.001 Average 0"
        }
    ]...)
    error_message = "AWS reviews an account at 5 % bounces and 0.1 % complaints. The thresholds must be fractions, in each region, without dimensions."
  }
}

run "alarms_of_the_pipeline_fire_at_the_right_time" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.iterator_age.threshold == 5400000 && aws_cloudwatch_metric_alarm.iterator_age.statistic == "Maximum"
    error_message = "The iterator age is in milliseconds: 90 minutes are 5400000."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.errors), [aws_cloudwatch_metric_alarm.parked]) :
      alarm.threshold == 1 && alarm.evaluation_periods == 1 && alarm.comparison_operator == "GreaterThanOrEqualToThreshold"
    ])
    error_message = "One error or one parked message must raise the alarm."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.parked.statistic == "Maximum" &&
      aws_cloudwatch_metric_alarm.parked.dimensions == tomap({ QueueName = "smtp-parked-test" }) &&
      aws_cloudwatch_metric_alarm.dead_letters.evaluation_periods == 3 &&
      { for query in aws_cloudwatch_metric_alarm.dead_letters.metric_query : query.id => try(
        join(" ", [query.metric[0].metric_name, query.metric[0].stat, query.metric[0].period, query.metric[0].dimensions.QueueName]), query.expression,
        ) } == {
        unprocessed = "IF(deleted < 1, visible, 0)"
        visible     = "ApproximateNumberOfMessagesVisible Minimum 300 smtp-dead-letters-test"
        deleted     = "NumberOfMessagesDeleted Sum 300 smtp-dead-letters-test"
      }
    )
    error_message = "Dead letters are processed automatically. The alarm must fire when none is deleted for 15 minutes while some are visible."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.failed_users.threshold == 1 &&
      aws_cloudwatch_metric_alarm.failed_users.datapoints_to_alarm == 1 &&
      aws_cloudwatch_metric_alarm.failed_users.evaluation_periods * 300 >= 75 * 60 && # an hour and the longest run
      { for query in aws_cloudwatch_metric_alarm.failed_users.metric_query : query.id => try(
        join(" ", [query.metric[0].namespace, query.metric[0].metric_name, query.metric[0].stat, query.metric[0].period]), query.expression,
        ) } == {
        failed   = "MAX([events, reported])"
        events   = "SmtpUsers UserFailed Sum 300"
        reported = "SmtpUsers SweepFailed Maximum 300"
      }
    )
    error_message = "The alarm must fire within minutes, and stay between two reports of the sweep while a user is failed."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.removed_users.metric_name == "UserRemoved" && aws_cloudwatch_metric_alarm.removed_users.statistic == "Sum" &&
      aws_cloudwatch_metric_alarm.removed_users.period == 3600 && aws_cloudwatch_metric_alarm.removed_users.threshold == 10
    )
    error_message = "Ten users removed within an hour must raise the alarm."
  }
}

run "the_metric_names_match_those_in_the_code" {
  assert {
    condition = (
      alltrue([
        for query in aws_cloudwatch_metric_alarm.failed_users.metric_query :
        query.metric[0].dimensions == tomap({ environment = "test", service = "smtp-credential-manager" }) if length(query.metric) > 0
      ])
    )
    error_message = "CloudWatch finds embedded metrics only with exactly their dimensions."
  }

  assert {
    condition = alltrue([
      for pattern in [
        "\nSERVICE = \"${var.metric_service}\"\n",
        "Metrics\\(namespace=\"${aws_cloudwatch_metric_alarm.removed_users.namespace}\", service=SERVICE\\)",
        "set_default_dimensions\\(environment=",
        "f\"User\\{result\\.result\\.capitalize\\(\\)\\}\"",
        "[( ]UserRetried=",
      ] : can(regex(pattern, file("${path.module}/../../../reconciler/manager/handlers/telemetry.py")))
    ])
    error_message = "reconciler/manager/handlers/telemetry.py uses other metric names than the alarms and the dashboard."
  }

  assert {
    condition = alltrue([
      for pattern in concat(["[( ]SweepRounds=", "f\"Sweep\\{''\\.join\\(word\\.capitalize\\(\\) for word in name\\.split\\('_'\\)\\)\\}\""], [
        for metric in concat(local.sweep_metrics, local.sweep_state_metrics, ["SweepChecked"]) :
        "\"${join("_", [for word in regexall("[A-Z][a-z]+", trimprefix(metric, "Sweep")) : lower(word)])}\": [a-z(]*result\\."
      ]) : can(regex(pattern, file("${path.module}/../../../reconciler/manager/handlers/sweep.py")))
    ])
    error_message = "reconciler/manager/handlers/sweep.py uses other metric names than the alarms and the dashboard."
  }

  assert {
    condition     = can(regex("[( ]DeadLetterParked=", file("${path.module}/../../../reconciler/manager/handlers/dead_letter.py")))
    error_message = "reconciler/manager/handlers/dead_letter.py uses another metric name than the dashboard."
  }
}

run "no_resource_has_an_unexpected_fixed_cost" {
  assert {
    condition = length(setsubtract(
      flatten([for file in fileset(path.module, "*.tf") : regexall("(?m)^resource \"([a-z0-9_]+)\"", file("${path.module}/${file}"))]),
      [
        "aws_cloudwatch_dashboard", "aws_cloudwatch_metric_alarm", "aws_cloudwatch_query_definition", "aws_sns_topic",
        "aws_sns_topic_policy", "aws_sns_topic_subscription", "aws_sesv2_configuration_set_event_destination",
        "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_cloudwatch_log_group", "aws_cloudwatch_log_resource_policy",
        "aws_xray_group",
      ],
    )) == 0
    error_message = "Only alarms and one dashboard may have a fixed cost (docs/monitoring.md, Costs). Check the price of a new resource type before you add it here."
  }
}

run "the_home_region_can_be_one_that_sends_no_mail" {
  command = plan

  variables {
    home_region  = "eu-north-1"
    smtp_regions = ["eu-central-1"]
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.iterator_age.region == "eu-north-1" &&
      toset(keys(aws_sns_topic.operators)) == toset(["eu-north-1", "eu-central-1"]) &&
      alltrue([for alarm in aws_cloudwatch_metric_alarm.reputation : alarm.region == "eu-central-1"]) &&
      keys(aws_cloudwatch_event_rule.mail) == ["eu-central-1"] && aws_xray_group.this["all"].region == "eu-north-1"
    )
    error_message = "Functions and queues must be monitored in the home region, and mail in the regions that send it."
  }
}

run "a_missing_function_is_rejected" {
  command = plan

  variables {
    functions = { manager = { name = "smtp-credential-manager-test", log_group = "/aws/lambda/smtp-credential-manager-test" } }
  }

  expect_failures = [var.functions]
}
