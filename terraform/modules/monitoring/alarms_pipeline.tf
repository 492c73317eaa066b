# Alarms on the path from a changed record to the IAM user. Missing data means that nothing ran and nothing is waiting, so
# it never raises an alarm in this file.
locals {
  home_topics = [aws_sns_topic.operators[local.home_region].arn]
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
  threshold           = var.thresholds.iterator_age_minutes * 60 * 1000 # milliseconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
}

# A dead letter is invisible between two retries. While AWS throttles a large change, the queue is never empty, but the function
# deletes messages all the time: only visible messages of which none is deleted are a problem. SQS reports both metrics of a
# queue that holds a message, also when they are 0, so no value must be filled in.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  region              = local.home_region
  alarm_name          = "${local.name}-dead-letters"
  alarm_description   = "Dead letters are waiting and are not being processed. Check the dead-letter function and its event source mapping. Runbook: docs/operations.md."
  evaluation_periods  = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics

  metric_query {
    id          = "unprocessed"
    label       = "visible messages while none is deleted"
    expression  = "IF(deleted < 1, visible, 0)"
    return_data = true
  }

  metric_query {
    id = "visible"
    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = var.dead_letter_queue_name }
      stat        = "Minimum"
      period      = 300
    }
  }

  metric_query {
    id = "deleted"
    metric {
      namespace   = "AWS/SQS"
      metric_name = "NumberOfMessagesDeleted"
      dimensions  = { QueueName = var.dead_letter_queue_name }
      stat        = "Sum"
      period      = 300
    }
  }
}

# A parked message stays until an operator removes it, and so does this alarm: none on the metric DeadLetterParked is needed.
resource "aws_cloudwatch_metric_alarm" "parked" {
  region              = local.home_region
  alarm_name          = "${local.name}-parked"
  alarm_description   = "A dead letter was parked after its last retry. Fix the cause, retry the user and empty the parking queue. Runbook: docs/operations.md."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = var.parking_queue_name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
}

# Two metrics together: the event of the failure raises the alarm within minutes, and the number of failed users, which every
# sweep reports, keeps it raised. 90 minutes cover the time between two reports: one hour and the longest run.
resource "aws_cloudwatch_metric_alarm" "failed_users" {
  region              = local.home_region
  alarm_name          = "${local.name}-failed-users"
  alarm_description   = "At least one user has status failed. Run `reconcile status --env ${var.environment}` or the saved query `failed users` for the name and the reason. Runbook: docs/operations.md."
  evaluation_periods  = 18
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics

  metric_query {
    id          = "failed"
    label       = "failed users"
    expression  = "MAX([events, reported])" # over an array, a metric without data is left out
    return_data = true
  }

  metric_query {
    id = "events"
    metric {
      namespace   = local.metric_namespace
      metric_name = "UserFailed"
      dimensions  = local.metric_dimensions
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id = "reported"
    metric {
      namespace   = local.metric_namespace
      metric_name = "SweepFailed"
      dimensions  = local.metric_dimensions
      stat        = "Maximum"
      period      = 300
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "removed_users" {
  region              = local.home_region
  alarm_name          = "${local.name}-removed-users"
  alarm_description   = "${var.thresholds.removed_users} or more users were removed within an hour, with their access keys. Check whether records were deleted that are still needed. Runbook: docs/operations.md."
  namespace           = local.metric_namespace
  metric_name         = "UserRemoved"
  dimensions          = local.metric_dimensions
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.thresholds.removed_users
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.home_topics
  ok_actions          = local.home_topics
}
