output "plan_role_arn" {
  description = "Value of AWS_ROLE_ARN in the GitHub environment for plans."
  value       = aws_iam_role.ci["plan"].arn
}

output "apply_role_arn" {
  description = "Value of AWS_ROLE_ARN in the GitHub environment that reconciles."
  value       = aws_iam_role.ci["apply"].arn
}

output "oidc_provider_arn" {
  description = "ARN of the account's OIDC provider for GitHub."
  value       = local.oidc_provider_arn
}
