output "smtp" {
  description = "Endpoint, ports and TLS modes by region."
  value       = module.domain.smtp
}

output "dns_records" {
  description = "The records to publish, by domain."
  value       = module.domain.dns_records
}

output "zone_file" {
  description = "The same records, to paste into a zone file."
  value       = module.domain.zone_file
}

output "mta_sts_policy" {
  description = "MTA-STS policy files, by domain."
  value       = module.domain.mta_sts_policy
}

output "ci_role_arns" {
  description = "The variable AWS_ROLE_ARN of the GitHub environments."
  value       = { plan = module.ci.plan_role_arn, apply = module.ci.apply_role_arn }
}

output "function_role_arns" {
  description = "The roles of the functions: manager, dead_letter and sweep."
  value       = module.pipeline.function_role_arns
}

output "key_arn" {
  description = "The KMS key of the credentials."
  value       = module.pipeline.key_arn
}

output "boundary_arn" {
  description = "The permissions boundary of every SMTP user."
  value       = module.pipeline.boundary_arn
}

output "dashboard" {
  description = "The CloudWatch dashboard."
  value       = module.monitoring.dashboard_name
}

output "topics" {
  description = "SNS topics: alarms for operators, bounces and complaints by region."
  value = {
    operators  = module.monitoring.operators_topic_arn
    bounces    = module.monitoring.bounce_topic_arns
    complaints = module.monitoring.complaint_topic_arns
  }
}

output "reader_policy_arn" {
  description = "Policy to attach to the roles that may read credentials."
  value       = module.pipeline.reader_policy_arn
}

output "operator_policy_arn" {
  description = "Policy to attach to the roles of people on call."
  value       = module.pipeline.operator_policy_arn
}
