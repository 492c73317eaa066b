# Alarms on the path from a changed record to the IAM user. Missing data means that nothing ran and nothing is waiting, so
# it never raises an alarm in this file.
locals {
  home_topics = [aws_sns_topic.operators[local.home_region].arn]

  # A dead letter is invisible between two retries. One that stays visible is therefore not being processed. A parked message
  # stays in the parking queue until an operator removes it, and so does its alarm: no second alarm on the metric
  # DeadLetterParked is needed.
  queues = {
    dead-letters = {
      name        = var.dead_letter_queue_name
      description = "Dead letters are waiting and are not being processed. Check the dead-letter function and its event source mapping."
      statistic   = "Minimum"
      periods     = 3
    }
    parked = {
      name        = var.parking_queue_name
      description = "A dead letter was parked after its last retry. Fix the cause, retry the user and empty the parking queue."
      statistic   = "Maximum"
      periods     = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = var.functions

  region              = local.home_region
  alarm_name          = "${local.name}-${local.roles[each.key]}-errors"
  alarm_description   = "${each.value.name} ended with an error. Read its log group ${each.value.log_group}. Runbook: docs/operations.md."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = each.value.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = var.functions

  region              = local.home_region
  alarm_name          = "${local.name}-${local.roles[each.key]}-throttles"
  alarm_description   = "${each.value.name} was throttled for 15 minutes. Compare its reserved concurrency with the account's limit. Runbook: docs/operations.md."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = each.value.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3 # throttled invocations are retried automatically: only sustained throttling needs an operator
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "iterator_age" {
  region              = local.home_region
  alarm_name          = "${local.name}-manager-iterator-age"
  alarm_description   = "Changes have been waiting in the stream, which keeps them for 24 hours. Check errors and throttles of the credential manager. Runbook: docs/operations.md."
  namespace           = "AWS/Lambda"
  metric_name         = "IteratorAge"
  dimensions          = { FunctionName = var.functions["manager"].name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.iterator_age_threshold_minutes * 60 * 1000 # milliseconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "queue_depth" {
  for_each = local.queues

  region              = local.home_region
  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "${each.value.description} Runbook: docs/operations.md."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value.name }
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = each.value.periods
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "failed_users" {
  region              = local.home_region
  alarm_name          = "${local.name}-failed-users"
  alarm_description   = "A user ended with status failed. Run `reconcile status --env ${var.environment}` or the saved query `failed users` for the name and the reason. Runbook: docs/operations.md."
  namespace           = local.metric_namespace
  metric_name         = "UserFailed"
  dimensions          = local.metric_dimensions
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
  tags                = var.tags
}
