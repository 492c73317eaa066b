locals {
  alarms = concat(
    values(aws_cloudwatch_metric_alarm.errors),
    values(aws_cloudwatch_metric_alarm.throttles),
    [aws_cloudwatch_metric_alarm.iterator_age],
    values(aws_cloudwatch_metric_alarm.queue_depth),
    [aws_cloudwatch_metric_alarm.failed_users],
    values(aws_cloudwatch_metric_alarm.sweep),
    [aws_cloudwatch_metric_alarm.sweep_overdue],
    values(aws_cloudwatch_metric_alarm.reputation),
  )
}

output "operators_topic_arn" {
  description = "Topic of the alarms in the home region."
  value       = aws_sns_topic.operators[local.home_region].arn
}

output "operators_topic_arns" {
  description = "Region to the topic of its alarms."
  value       = { for region, topic in aws_sns_topic.operators : region => topic.arn }
}

output "bounce_topic_arns" {
  description = "Region to the topic of its bounces."
  value       = { for region in var.smtp_regions : region => aws_sns_topic.feedback["bounces/${region}"].arn }
}

output "complaint_topic_arns" {
  description = "Region to the topic of its complaints."
  value       = { for region in var.smtp_regions : region => aws_sns_topic.feedback["complaints/${region}"].arn }
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "alarm_names" {
  description = "Names of all alarms, sorted."
  value       = sort(local.alarms[*].alarm_name)
}
