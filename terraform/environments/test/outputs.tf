output "smtp" {
  description = "Endpoint, ports and TLS modes by region."
  value       = module.environment.smtp
}

output "dns_records" {
  description = "The records to publish, by domain."
  value       = module.environment.dns_records
}

output "zone_file" {
  description = "The same records, to paste into a zone file."
  value       = module.environment.zone_file
}

output "mta_sts_policy" {
  description = "MTA-STS policy files, by domain."
  value       = module.environment.mta_sts_policy
}

output "ci_role_arns" {
  description = "The variable AWS_ROLE_ARN of the GitHub environments."
  value       = module.environment.ci_role_arns
}

output "function_role_arns" {
  description = "The roles of the functions: manager, dead_letter and sweep."
  value       = module.environment.function_role_arns
}

output "key_arn" {
  description = "The KMS key of the credentials."
  value       = module.environment.key_arn
}

output "boundary_arn" {
  description = "The permissions boundary of every SMTP user."
  value       = module.environment.boundary_arn
}

output "dashboard" {
  description = "The CloudWatch dashboard."
  value       = module.environment.dashboard
}

output "topics" {
  description = "SNS topics for operators, bounces and complaints."
  value       = module.environment.topics
}

output "reader_policy_arn" {
  description = "Policy to attach to the roles that may read credentials."
  value       = module.environment.reader_policy_arn
}

output "operator_policy_arn" {
  description = "Policy to attach to the roles of people on call."
  value       = module.environment.operator_policy_arn
}
