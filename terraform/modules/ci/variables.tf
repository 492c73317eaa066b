variable "environment" {
  description = "Name of the environment, as in reconcile.yaml. The apply role trusts the GitHub environment of that name."
  type        = string
}

variable "account_id" {
  description = "The AWS account that everything lives in."
  type        = string
}

variable "subject_prefix" {
  description = <<-EOT
    What comes before `:environment:NAME` in the subject of GitHub's tokens: `repo:ORG/REPO`, or with the immutable ids
    of repositories made since 2026-07-15 `repo:ORG@ID/REPO@ID`.
  EOT
  type        = string

  validation {
    condition     = can(regex("^repo:[^:*?/]+/[^:*?/]+$", var.subject_prefix))
    error_message = "repo:ORG/REPO or repo:ORG@ID/REPO@ID, without wildcards."
  }
}

variable "plan_environment" {
  description = "The GitHub environment that the plan role trusts; ENVIRONMENT-plan when null."
  type        = string
  default     = null
}

variable "oidc_provider_arn" {
  description = "ARN of the account's provider for GitHub's tokens; null to create it. An account can have one only."
  type        = string
  default     = null
}

variable "table_arn" {
  description = "ARN of the table of the records."
  type        = string
}
