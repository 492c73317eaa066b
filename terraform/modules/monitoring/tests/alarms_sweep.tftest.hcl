# When an alarm on the results of the sweep fires, and which thresholds are rejected.
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

run "the_results_of_the_sweep_raise_alarms" {
  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.sweep :
      key => "${alarm.statistic} ${alarm.metric_name} ${alarm.comparison_operator} ${alarm.threshold}: ${alarm.datapoints_to_alarm} of ${alarm.evaluation_periods}"
      } == {
      drift-repaired       = "Sum SweepRepaired GreaterThanOrEqualToThreshold 1: 1 of 1"
      orphans-found        = "Sum SweepOrphans GreaterThanOrEqualToThreshold 1: 2 of 3"
      orphans-held         = "Sum SweepOrphansHeld GreaterThanOrEqualToThreshold 1: 1 of 2"
      quarantined-users    = "Sum SweepQuarantined GreaterThanOrEqualToThreshold 1: 1 of 2"
      unchecked-users      = "Sum SweepErrors GreaterThanOrEqualToThreshold 1: 3 of 4"
      trigger-broken       = "Maximum SweepTriggerBroken GreaterThanOrEqualToThreshold 1: 1 of 2"
      missed-events        = "Maximum SweepMissed GreaterThanOrEqualToThreshold 1: 2 of 6"
      unmanaged-grants     = "Maximum SweepUnmanaged GreaterThanOrEqualToThreshold 1: 1 of 2"
      sending-paused       = "Maximum SweepSesPaused GreaterThanOrEqualToThreshold 1: 1 of 2"
      sending-under-review = "Maximum SweepSesReview GreaterThanOrEqualToThreshold 1: 1 of 2"
    }
    error_message = "A state that every run reports must raise the alarm until the next report; one that only one run of a round sees, for the whole round; errors must persist over several runs."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.sweep_overdue.metric_name == "SweepRounds" &&
      aws_cloudwatch_metric_alarm.sweep_overdue.comparison_operator == "LessThanThreshold" &&
      aws_cloudwatch_metric_alarm.sweep_overdue.threshold == 1 &&
      aws_cloudwatch_metric_alarm.sweep_overdue.evaluation_periods == 24
    )
    error_message = "The alarm must fire after a day without a completed round."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.sweep), [aws_cloudwatch_metric_alarm.sweep_overdue]) :
      alarm.namespace == "SmtpUsers" && alarm.period == 3600 &&
      alarm.dimensions == tomap({ environment = "test", service = "smtp-credential-manager" })
    ])
    error_message = "The alarms must use hourly values with the dimensions of all functions."
  }

  assert {
    condition     = strcontains(aws_cloudwatch_metric_alarm.sweep["quarantined-users"].alarm_description, "URGENT")
    error_message = "The alarm for a leaked key must say that it is urgent."
  }
}

run "the_sweep_thresholds_are_configurable" {
  command = plan

  variables {
    thresholds = { repaired_users = 5, unchecked_runs = 6, sweep_overdue_hours = 48 }
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.sweep["drift-repaired"].threshold == 5 &&
      aws_cloudwatch_metric_alarm.sweep["unchecked-users"].datapoints_to_alarm == 6 &&
      aws_cloudwatch_metric_alarm.sweep["unchecked-users"].evaluation_periods == 7 &&
      aws_cloudwatch_metric_alarm.sweep_overdue.evaluation_periods == 48
    )
    error_message = "Each setting must set the threshold of its alarm."
  }
}

run "a_threshold_that_always_fires_is_rejected" {
  command = plan

  variables {
    thresholds = { repaired_users = 0 }
  }

  expect_failures = [var.thresholds]
}

run "a_threshold_that_never_fires_is_rejected" {
  command = plan

  variables {
    thresholds = { unchecked_runs = 24 }
  }

  expect_failures = [var.thresholds]
}

run "a_threshold_shorter_than_a_round_is_rejected" {
  command = plan

  variables {
    thresholds = { sweep_overdue_hours = 2 }
  }

  expect_failures = [var.thresholds]
}

run "a_threshold_in_percent_is_rejected" {
  command = plan

  variables {
    thresholds = { bounce_rate = 5, complaint_rate = 0.1 }
  }

  expect_failures = [var.thresholds]
}

run "a_warning_at_or_above_the_alarm_is_rejected" {
  command = plan

  variables {
    thresholds = { bounce_rate = 0.02 }
  }

  expect_failures = [var.thresholds]
}

run "without_wide_reads_a_round_takes_several_runs" {
  variables {
    wide_reads = false
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.sweep["quarantined-users"].evaluation_periods == 4 && aws_cloudwatch_metric_alarm.sweep["orphans-held"].evaluation_periods == 4
    error_message = "What only one run of a round sees must raise the alarm for the whole round."
  }
}
