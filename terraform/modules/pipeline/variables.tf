variable "environment" {
  description = "Name of the environment, as in reconcile.yaml."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,11}$", var.environment))
    error_message = "The environment name must have 1 to 12 characters of a-z and 0-9, and start with a letter."
  }
}

variable "account_id" {
  description = "AWS account id of the environment."
  type        = string
}

variable "pipeline" {
  description = "Content of reconciler/pipeline/pipeline.yaml, which the sandbox also reads."
  type = object({
    names   = map(string)
    runtime = string
    functions = object({
      manager     = object({ name = string, handler = string, timeout_seconds = number, memory_mb = number })
      dead_letter = object({ name = string, handler = string, timeout_seconds = number, memory_mb = number })
      sweep       = object({ name = string, handler = string, timeout_seconds = number, memory_mb = number })
    })
    mapping = object({
      batch_size                     = number
      starting_position              = string
      maximum_retry_attempts         = number
      maximum_record_age_seconds     = number
      bisect_batch_on_function_error = bool
      parallelization_factor         = number
      function_response_types        = list(string)
      filters                        = any
    })
    dead_letters = object({
      batch_size              = number
      maximum_concurrency     = number
      function_response_types = list(string)
      tries                   = number
      max_receives            = number
    })
    sweep = object({ schedule = string, users_per_run = number })
  })
}

variable "table_name" {
  description = "Name of the DynamoDB table. It is created unless existing_table_stream_arn is set."
  type        = string
}

variable "existing_table_stream_arn" {
  description = "Stream ARN of an existing table with NEW_AND_OLD_IMAGES; null creates the table."
  type        = string
  default     = null

  validation {
    condition     = var.existing_table_stream_arn == null || can(regex("^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[^/]+/stream/.+$", var.existing_table_stream_arn))
    error_message = "The value must be a stream ARN such as arn:aws:dynamodb:eu-central-1:111122223333:table/platform/stream/2026-01-01T00:00:00.000."
  }

  validation {
    condition     = var.existing_table_stream_arn == null || strcontains(coalesce(var.existing_table_stream_arn, "-"), ":table/${var.table_name}/stream/")
    error_message = "The stream must belong to the table in table_name."
  }
}

variable "deletion_protection" {
  description = "Protects the table from deletion, and sets the deletion window of the KMS key to 30 days instead of 7."
  type        = bool
  default     = true
}

variable "configuration_set" {
  description = "Name of the SES configuration set for all messages."
  type        = string
}

variable "smtp_regions" {
  description = "SES regions that credentials are valid for. The first is the home region of the environment."
  type        = list(string)

  validation {
    condition     = length(var.smtp_regions) > 0
    error_message = "At least one region is required."
  }
}

variable "allowed_domains" {
  description = "Domains of the addresses that a manifest may grant."
  type        = list(string)
}

variable "allow_wildcards" {
  description = "Allows grants with wildcards, such as *@example.com."
  type        = bool
  default     = false
}

variable "code" {
  description = "Path of the Lambda zip (make package)."
  type        = string
}

variable "credential_readers" {
  description = "ARNs of the roles or users that may decrypt credentials. No other principal can decrypt them."
  type        = list(string)
  default     = []
}

variable "log_retention_days" {
  description = "Retention of the functions' logs, in days."
  type        = number
  default     = 365
}

variable "reserved_concurrency" {
  description = <<-EOT
    Reserved concurrency by function (manager, dead_letter, sweep). -1, or no entry, reserves none. IAM throttles the whole
    account, not a single function. With sweep = 1, two sweeps never run at the same time; two concurrent sweeps are harmless.
  EOT
  type        = map(number)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.reserved_concurrency), ["manager", "dead_letter", "sweep"])) == 0
    error_message = "The keys must be manager, dead_letter or sweep."
  }

  validation {
    condition     = alltrue([for function, reserved in var.reserved_concurrency : reserved != 0])
    error_message = "The value must not be 0: the function would never run."
  }
}

variable "max_orphans" {
  description = "Maximum number of orphans (IAM users without a record) that one sweep may delete. If there are more, it deletes none. Set by limits.max_deletes."
  type        = number

  validation {
    condition     = var.max_orphans >= 0 && floor(var.max_orphans) == var.max_orphans
    error_message = "The limit must be a whole number of at least 0; 0 deletes none."
  }
}

variable "max_orphan_percent" {
  description = "Maximum share of orphans in all users, in percent, that one sweep may delete. Both limits apply. Set by limits.max_delete_percent."
  type        = number

  validation {
    condition     = var.max_orphan_percent >= 0 && var.max_orphan_percent <= 100 && floor(var.max_orphan_percent) == var.max_orphan_percent
    error_message = "The limit must be a whole number from 0 (deletes none) to 100 (no limit)."
  }
}
