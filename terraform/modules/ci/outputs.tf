output "plan_role_arn" {
  description = "Variable AWS_ROLE_ARN of the GitHub environment that plans."
  value       = aws_iam_role.ci["plan"].arn
}

output "apply_role_arn" {
  description = "Variable AWS_ROLE_ARN of the GitHub environment that reconciles."
  value       = aws_iam_role.ci["apply"].arn
}

output "oidc_provider_arn" {
  description = "The account's provider for GitHub's tokens."
  value       = local.oidc_provider_arn
}
