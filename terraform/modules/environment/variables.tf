variable "environment" {
  description = "Name of the environment, as in reconcile.yaml."
  type        = string
}

# schema/reconcile.schema.json describes and checks each field. A module that is used without the command checks what it gets.
# `tags` is the provider's: default_tags covers every resource, and the root module configures the provider.
variable "settings" {
  description = "Entry of the environment in reconcile.yaml."
  nullable    = false
  type = object({
    account_id                 = string
    region                     = string
    smtp_regions               = optional(list(string))
    table                      = string
    existing_table             = optional(bool, false)
    configuration_set          = string
    existing_configuration_set = optional(bool, false)
    allowed_domains            = list(string)
    identities                 = optional(map(string), {})
    allow_wildcards            = optional(bool, false)
    limits                     = object({ max_deletes = number, max_delete_percent = number })
    local                      = optional(bool, false)

    github_subject_prefix       = optional(string)
    oidc_provider_arn           = optional(string)
    credential_readers          = optional(list(string), [])
    external_credential_readers = optional(list(string), [])
    role_permissions_boundary   = optional(string)
    role_path                   = optional(string, "/")
    iam_user_tags               = optional(map(string), {})
    wide_reads                  = optional(bool, true)

    mail_from_label = optional(string, "bounce")
    alarm_emails    = optional(list(string), [])
    alarm_thresholds = optional(object({
      bounce_rate_warning    = optional(number, 0.02)
      bounce_rate            = optional(number, 0.05)
      complaint_rate_warning = optional(number, 0.0005)
      complaint_rate         = optional(number, 0.001)
      iterator_age_minutes   = optional(number, 90)
      removed_users          = optional(number, 10)
      repaired_users         = optional(number, 1)
      unchecked_runs         = optional(number, 3)
      sweep_overdue_hours    = optional(number, 24)
    }), {})
    topic_kms_keys = optional(map(string), {})

    deletion_protection  = optional(bool)
    log_retention_days   = optional(number, 365)
    reserved_concurrency = optional(map(number), {})
  })
}

variable "pipeline_file" {
  description = "Path of pipeline.yaml; null for the one of the repository that this module is part of. It must belong to the version of the zip."
  type        = string
  default     = null
}

variable "code" {
  description = "Path of the Lambda zip (reconcile package)."
  type        = string
}

variable "oidc_provider_arn" {
  description = "ARN of the account's OIDC provider for GitHub, if another configuration manages it; null creates it. The setting of the same name takes precedence."
  type        = string
  default     = null
}
