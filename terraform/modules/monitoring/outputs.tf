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
  description = "ARN of the alarm topic in the home region."
  value       = aws_sns_topic.operators[local.home_region].arn
}

output "operators_topic_arns" {
  description = "ARN of the alarm topic, by region."
  value       = { for region, topic in aws_sns_topic.operators : region => topic.arn }
}

output "bounce_topic_arns" {
  description = "ARN of the bounce topic, by region."
  value       = { for region in var.smtp_regions : region => aws_sns_topic.feedback["bounces/${region}"].arn }
}

output "complaint_topic_arns" {
  description = "ARN of the complaint topic, by region."
  value       = { for region in var.smtp_regions : region => aws_sns_topic.feedback["complaints/${region}"].arn }
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "alarm_names" {
  description = "Sorted names of all alarms."
  value       = sort(local.alarms[*].alarm_name)
}
