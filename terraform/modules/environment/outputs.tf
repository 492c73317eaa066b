# Each root exports this module as one output, `environment`: what is added here needs no change there.
output "smtp" {
  description = "SMTP endpoint by region: host, STARTTLS ports and implicit TLS ports."
  value       = module.domain.smtp
}

output "dns_records" {
  description = "What Terraform knows of the DNS records, by `DOMAIN/REGION`; `reconcile dns` prints all of them."
  value       = module.domain.dns_records
}

output "ci_role_arns" {
  description = "Values of AWS_ROLE_ARN in the GitHub environments, for plan and apply; null without github_subject_prefix."
  value       = one([for ci in module.ci : { plan = ci.plan_role_arn, apply = ci.apply_role_arn }])
}

output "oidc_provider_arn" {
  description = "ARN of the account's OIDC provider for GitHub; null without github_subject_prefix."
  value       = one(module.ci[*].oidc_provider_arn)
}

output "identity_arns" {
  description = "ARN of the SES identity, by domain and region, existing ones included."
  value       = module.domain.identity_arns
}

output "function_role_arns" {
  description = "ARN of the role of each function."
  value       = module.pipeline.function_role_arns
}

output "key_arn" {
  description = "ARN of the KMS key that encrypts the credentials."
  value       = module.pipeline.key_arn
}

output "boundary_arn" {
  description = "ARN of the permissions boundary of every SMTP user."
  value       = module.pipeline.boundary_arn
}

output "dashboard" {
  description = "Name of the CloudWatch dashboard."
  value       = module.monitoring.dashboard_name
}

output "topics" {
  description = "ARNs of the SNS topics: alarms in the home region, bounces and complaints by region."
  value = {
    operators  = module.monitoring.operators_topic_arn
    bounces    = module.monitoring.bounce_topic_arns
    complaints = module.monitoring.complaint_topic_arns
  }
}

output "reader_policy_arn" {
  description = "ARN of the policy to attach to the roles of credential readers."
  value       = module.pipeline.reader_policy_arn
}

output "operator_policy_arn" {
  description = "ARN of the policy to attach to the roles of on-call operators."
  value       = module.pipeline.operator_policy_arn
}

output "external_reader_role_arn" {
  description = "ARN of the role that the credential readers of other accounts assume; null without any."
  value       = module.pipeline.external_reader_role_arn
}

output "default_configuration_sets" {
  description = "Default configuration set of each existing identity, with keys such as example.com/eu-central-1; none where there is none."
  value       = module.domain.default_configuration_sets
}

output "table_key_arn" {
  description = "ARN of the KMS key of an existing table; null where DynamoDB's own key encrypts it. Its key policy must let the roles use it (docs/existing-resources.md)."
  value       = module.pipeline.table_key_arn
}
