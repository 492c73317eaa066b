locals {
  alarms = concat(
    values(aws_cloudwatch_metric_alarm.errors),
    values(aws_cloudwatch_metric_alarm.throttles),
    [aws_cloudwatch_metric_alarm.iterator_age],
    [
      aws_cloudwatch_metric_alarm.dead_letters,
      aws_cloudwatch_metric_alarm.parked,
      aws_cloudwatch_metric_alarm.failed_users,
      aws_cloudwatch_metric_alarm.removed_users,
    ],
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

output "mail_log_groups" {
  description = "Log group that keeps the mail events, by region."
  value       = { for region, group in aws_cloudwatch_log_group.mail : region => group.name }
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "alarm_names" {
  description = "Sorted names of all alarms."
  value       = sort(local.alarms[*].alarm_name)
}
