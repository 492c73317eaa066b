# The account's reputation in each region, which is what AWS judges (docs/monitoring.md). The metric stands still while
# nothing is sent, so missing data keeps the alarm as it is: a bad rate does not become good by silence.
locals {
  reputation = {
    bounce-rate = {
      metric    = "Reputation.BounceRate"
      threshold = var.bounce_rate_threshold
      text      = "Review by AWS at 5 %, pause at 10 %. Find and stop the sender: docs/monitoring.md."
    }
    complaint-rate = {
      metric    = "Reputation.ComplaintRate"
      threshold = var.complaint_rate_threshold
      text      = "Review by AWS at 0.1 %, pause at 0.5 %. Find and stop the sender: docs/monitoring.md."
    }
  }

  reputation_alarms = {
    for pair in setproduct(keys(local.reputation), var.smtp_regions) :
    "${pair[0]}/${pair[1]}" => merge(local.reputation[pair[0]], { rate = pair[0], region = pair[1] })
  }
}

resource "aws_cloudwatch_metric_alarm" "reputation" {
  for_each = local.reputation_alarms

  region              = each.value.region
  alarm_name          = "${local.name}-${each.value.rate}-${each.value.region}"
  alarm_description   = each.value.text
  namespace           = "AWS/SES"
  metric_name         = each.value.metric # a share of 1; without dimensions: the whole account in this region
  statistic           = "Average"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "ignore"
  alarm_actions       = [aws_sns_topic.operators[each.value.region].arn]
  ok_actions          = [aws_sns_topic.operators[each.value.region].arn]
  tags                = var.tags
}
