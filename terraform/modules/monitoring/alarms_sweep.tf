# Alarms on the results of the sweep. It runs every hour and reports each metric in every run, including the value 0.
locals {
  # Only one run of a round sees a given user. IAM holds up to 5,000 users. With wide_reads, one run checks all of them; without,
  # about 2,000, so that a round takes three runs. One more hour covers jitter. An alarm must cover the time of a round, or it
  # would change state in every run.
  sweep_round_hours = var.wide_reads ? 2 : 4

  # A metric that every run reports in full. Two reports can be more than an hour apart, because a run takes up to 15 minutes.
  sweep_state_hours = 2

  sweep_alarms = {
    drift-repaired = {
      metric      = "SweepRepaired"
      description = "IAM users differed from their records, and the sweep repaired them. Find out who changes IAM users manually."
      threshold   = var.thresholds.repaired_users
      hours       = 1
      breaching   = 1
    }
    orphans-held = {
      metric      = "SweepOrphansHeld"
      description = "Orphaned IAM users exceed the safety limit, or the table has no records. The sweep deleted none of them. Check whether records were lost."
      threshold   = 1
      hours       = local.sweep_round_hours
      breaching   = 1
    }
    orphans-found = {
      metric      = "SweepOrphans"
      description = "Two sweeps found IAM users without a record. The sweep deletes them 24 hours after the first detection. Check whether they must be kept."
      threshold   = 1
      hours       = 3 # two runs may end within the same hour
      breaching   = 2
    }
    quarantined-users = {
      metric      = "SweepQuarantined"
      description = "URGENT: AWS detected an exposed access key of an SMTP user and attached its quarantine policy. Revoke the user now: reconcile revoke NAME --env ${var.environment}."
      threshold   = 1
      hours       = local.sweep_round_hours
      breaching   = 1
    }
    unchecked-users = {
      metric      = "SweepErrors"
      description = "Several sweeps in a row could not check some users. Read the reason in the log group of the sweep."
      threshold   = 1
      hours       = var.thresholds.unchecked_runs + 1 # two runs may end within the same hour
      breaching   = var.thresholds.unchecked_runs
    }
    trigger-broken = {
      metric      = "SweepTriggerBroken"
      description = "The table's stream does not trigger the credential manager: its event source mapping is disabled or missing, the stream was replaced, or it has no new and old images. Changes and revocations wait for the next sweep."
      threshold   = 1
      hours       = local.sweep_state_hours
      breaching   = 1
    }
    missed-events = {
      metric      = "SweepMissed"
      description = "Two sweeps processed records that the stream should have triggered. Check the event source mapping, and the errors and the log of the credential manager."
      threshold   = 1
      hours       = 6
      breaching   = 2 # while thousands of users are changed, one sweep finds some that still wait for their turn
    }
    unmanaged-grants = {
      metric      = "SweepUnmanaged"
      description = "Permission to send exists that no manifest declares: unmanaged records, or IAM users under our path without our tag. Run `reconcile drift --env ${var.environment}`."
      threshold   = 1
      hours       = local.sweep_state_hours
      breaching   = 1
    }
    sending-paused = {
      metric      = "SweepSesPaused"
      description = "URGENT: SES sends no mail in at least one region, because AWS paused it or it was disabled manually."
      threshold   = 1
      hours       = local.sweep_state_hours
      breaching   = 1
    }
    sending-under-review = {
      metric      = "SweepSesReview"
      description = "AWS reviews the sending of the account in at least one region and may pause it. Answer AWS's case."
      threshold   = 1
      hours       = local.sweep_state_hours
      breaching   = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "sweep" {
  for_each = local.sweep_alarms

  region              = local.home_region
  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "${each.value.description} Runbook: docs/operations.md."
  namespace           = local.metric_namespace
  metric_name         = each.value.metric
  dimensions          = local.metric_dimensions
  statistic           = contains(local.sweep_state_metrics, each.value.metric) ? "Maximum" : "Sum"
  period              = 3600
  evaluation_periods  = each.value.hours
  datapoints_to_alarm = each.value.breaching
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching" # the alarm below covers the case that nothing is reported
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
}

# The only alarm that missing data raises: every alarm above, and the repair of whatever events missed, depends on the sweep.
# It is therefore in ALARM from its creation until the first round has ended. `missing` instead of `breaching` would avoid that,
# but it would never report a sweep that does not run from the first day.
resource "aws_cloudwatch_metric_alarm" "sweep_overdue" {
  region              = local.home_region
  alarm_name          = "${local.name}-sweep-overdue"
  alarm_description   = "The sweep has not completed a round for ${var.thresholds.sweep_overdue_hours} hours. Check its schedule, errors and log. Runbook: docs/operations.md."
  namespace           = local.metric_namespace
  metric_name         = "SweepRounds"
  dimensions          = local.metric_dimensions
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = var.thresholds.sweep_overdue_hours
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
}
