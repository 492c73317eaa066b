# The way from a changed row to the IAM user. Missing data is good news in this file: nothing ran, nothing waits.
locals {
  home_topics = [aws_sns_topic.operators[local.home_region].arn]

  # A dead letter that is tried again later is not visible meanwhile, so what stays visible is worked off by nobody. What is
  # given up on stays in the parking queue until somebody has dealt with it, and so does its alarm: it needs no second one on
  # the metric DeadLetterParked.
  queues = {
    dead-letters = {
      name      = var.dead_letter_queue_name
      text      = "Dead letters wait and nobody works them off. Look at the function and its mapping: docs/operations.md."
      statistic = "Minimum"
      periods   = 3
    }
    parked = {
      name      = var.parking_queue_name
      text      = "A dead letter was given up on. Find the cause, drive the user again, empty the queue: docs/operations.md."
      statistic = "Maximum"
      periods   = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = var.functions

  region              = local.home_region
  alarm_name          = "${local.name}-${local.roles[each.key]}-errors"
  alarm_description   = "${each.value.name} ended with an error. Read its log group ${each.value.log_group}."
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
  alarm_description   = "${each.value.name} is held back. Compare its reserved concurrency with the account's limit."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = each.value.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3 # what was throttled is tried again by itself: only lasting throttling matters
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
  alarm_description   = "Changes wait in the stream, which keeps them for 24 h. See errors and throttles of the manager."
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
  alarm_description   = each.value.text
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
  alarm_description   = "A user ended with status failed. The saved query for failed users names it and the reason."
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
