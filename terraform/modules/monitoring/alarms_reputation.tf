# The account's reputation in each region, which is what AWS evaluates (docs/monitoring.md). The metric is not updated while
# no mail is sent. Missing data therefore keeps the alarm in its state: a bad rate does not improve because no mail is sent.
locals {
  reputation = {
    bounce-rate-warning = {
      metric      = "Reputation.BounceRate"
      threshold   = var.thresholds.bounce_rate_warning
      description = "The bounce rate of the account is rising. AWS reviews an account at 5 %. Find the sender now."
    }
    bounce-rate = {
      metric      = "Reputation.BounceRate"
      threshold   = var.thresholds.bounce_rate
      description = "The bounce rate of the account is too high. AWS reviews an account at 5 % and may pause its sending at 10 %. Find and stop the sender."
    }
    complaint-rate-warning = {
      metric      = "Reputation.ComplaintRate"
      threshold   = var.thresholds.complaint_rate_warning
      description = "The complaint rate of the account is rising. AWS reviews an account at 0.1 %. Find the sender now."
    }
    complaint-rate = {
      metric      = "Reputation.ComplaintRate"
      threshold   = var.thresholds.complaint_rate
      description = "The complaint rate of the account is too high. AWS reviews an account at 0.1 % and may pause its sending at 0.5 %. Find and stop the sender."
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
  alarm_description   = "${each.value.description} Runbook: docs/monitoring.md."
  namespace           = "AWS/SES"
  metric_name         = each.value.metric # a fraction: 0.05 is 5 %; without dimensions it covers the whole account in this region
  statistic           = "Average"
  period              = 3600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "ignore"
  alarm_actions       = [aws_sns_topic.operators[each.value.region].arn]
  ok_actions          = [aws_sns_topic.operators[each.value.region].arn]
}
