# What the sweep finds. It runs every hour and reports each metric each time, 0 included.
locals {
  # A state is seen by one run of a round only. IAM holds 5,000 users and a run looks at 2,000: three runs, and an hour of
  # jitter. For that long an alarm remembers, or it would come and go.
  sweep_round_hours = 4

  sweep_alarms = {
    drift-repaired = {
      metric    = "SweepRepaired"
      text      = "IAM users were not as their rows want them; they were repaired. Who edits them by hand? docs/operations.md."
      threshold = var.drift_threshold
      hours     = 1
      breaching = 1
    }
    orphans-held = {
      metric    = "SweepOrphansHeld"
      text      = "More IAM users without a row than may be removed at once, or no row at all: none was removed. Is the table whole? docs/operations.md."
      threshold = 1
      hours     = local.sweep_round_hours
      breaching = 1
    }
    orphans-found = {
      metric    = "SweepOrphans"
      text      = "IAM users without a row, in two sweeps in a row: they are torn down 24 hours after the first. Should they be? docs/operations.md."
      threshold = 1
      hours     = 3 # a run may end in the hour of the one before
      breaching = 2
    }
    quarantined-users = {
      metric    = "SweepQuarantined"
      text      = "URGENT: AWS has found the key of a user in public. Revoke it now: docs/operations.md, a leaked key."
      threshold = 1
      hours     = local.sweep_round_hours
      breaching = 1
    }
    unchecked-users = {
      metric    = "SweepErrors"
      text      = "The sweep cannot check some users, run after run. Read its log group for the reason."
      threshold = 1
      hours     = var.unchecked_runs_threshold + 1 # a run may end in the hour of the one before
      breaching = var.unchecked_runs_threshold
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "sweep" {
  for_each = local.sweep_alarms

  region              = local.home_region
  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = local.metric_namespace
  metric_name         = each.value.metric
  dimensions          = local.metric_dimensions
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = each.value.hours
  datapoints_to_alarm = each.value.breaching
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching" # that nothing is reported at all is for the alarm below
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
  tags                = var.tags
}

# The one alarm that silence raises: everything above, and the repair of what events missed, rests on the sweep.
resource "aws_cloudwatch_metric_alarm" "sweep_overdue" {
  region              = local.home_region
  alarm_name          = "${local.name}-sweep-overdue"
  alarm_description   = "No round of the sweep has ended for ${var.sweep_overdue_hours} hours. Look at its schedule, errors and log."
  namespace           = local.metric_namespace
  metric_name         = "SweepRounds"
  dimensions          = local.metric_dimensions
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = var.sweep_overdue_hours
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
  tags                = var.tags
}
