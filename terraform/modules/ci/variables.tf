variable "environment" {
  description = "Name of the environment, as in reconcile.yaml. The apply role trusts the GitHub environment with this name."
  type        = string
}

variable "account_id" {
  description = "AWS account id of the environment."
  type        = string
}

variable "subject_prefix" {
  description = <<-EOT
    The part of the subject of GitHub's tokens before `:environment:NAME`: `repo:ORG/REPO`. For repositories created since
    2026-07-15 it contains immutable ids: `repo:ORG@ID/REPO@ID`.
  EOT
  type        = string

  validation {
    condition     = can(regex("^repo:[^:*?/]+/[^:*?/]+$", var.subject_prefix))
    error_message = "The prefix must be repo:ORG/REPO or repo:ORG@ID/REPO@ID, without wildcards."
  }
}

variable "plan_environment" {
  description = "Name of the GitHub environment that the plan role trusts. Default: ENVIRONMENT-plan."
  type        = string
  default     = null
}

variable "oidc_provider_arn" {
  description = "ARN of the account's existing OIDC provider for GitHub; null creates it. An account can have only one."
  type        = string
  default     = null
}

variable "table_arn" {
  description = "ARN of the table that holds the records."
  type        = string
}

variable "table_key_policies" {
  description = "Policy documents that let a role use the KMS key of the table, as JSON (module pipeline, output table_key_policies)."
  type        = list(string)
  default     = []
}

variable "role_path" {
  description = "Path of the roles."
  type        = string
  default     = "/"
}

variable "role_permissions_boundary" {
  description = "ARN of the permissions boundary of the roles, where the organisation requires one; null for none."
  type        = string
  default     = null
}

variable "wide_reads" {
  description = "Whether the plan role may read all IAM users of the account, their policies included, in one call."
  type        = bool
  nullable    = false
  default     = true
}
