variable "environment" {
  description = "Name of the environment, as in reconcile.yaml."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,11}$", var.environment))
    error_message = "1 to 12 of a-z and 0-9, starting with a letter."
  }
}

variable "account_id" {
  description = "The AWS account that everything lives in."
  type        = string
}

variable "pipeline" {
  description = "reconciler/pipeline/pipeline.yaml, which the sandbox reads too."
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
    })
    sweep = object({ schedule = string, users_per_run = number })
  })
}

variable "table_name" {
  description = "The DynamoDB table. It is created unless existing_table_stream_arn names the stream of one that exists."
  type        = string
}

variable "existing_table_stream_arn" {
  description = "Stream ARN (NEW_AND_OLD_IMAGES) of a table that exists; null to create the table."
  type        = string
  default     = null

  validation {
    condition     = var.existing_table_stream_arn == null || can(regex("^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[^/]+/stream/.+$", var.existing_table_stream_arn))
    error_message = "An ARN such as arn:aws:dynamodb:eu-central-1:111122223333:table/platform/stream/2026-01-01T00:00:00.000."
  }

  validation {
    condition     = var.existing_table_stream_arn == null || strcontains(coalesce(var.existing_table_stream_arn, "-"), ":table/${var.table_name}/stream/")
    error_message = "The stream is not that of table_name."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the table, and keep the key for 30 days instead of 7 after its deletion."
  type        = bool
  default     = true
}

variable "configuration_set" {
  description = "The SES configuration set that every message passes."
  type        = string
}

variable "smtp_regions" {
  description = "SES regions that credentials are made for; the first is the environment's own."
  type        = list(string)

  validation {
    condition     = length(var.smtp_regions) > 0
    error_message = "At least one region."
  }
}

variable "allowed_domains" {
  description = "Domains that addresses may be granted in."
  type        = list(string)
}

variable "allow_wildcards" {
  description = "Permit addresses such as *@example.com."
  type        = bool
  default     = false
}

variable "code" {
  description = "Path of the Lambda zip (make package)."
  type        = string
}

variable "credential_readers" {
  description = "ARNs of the roles or users whose members may read credentials. Nobody else can decrypt one."
  type        = list(string)
  default     = []
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 365
}

variable "reserved_concurrency" {
  description = <<-EOT
    Function (manager, dead_letter, sweep) to its reserved concurrency; left out or -1 reserves none. IAM throttles an
    account, not a function. With 1 a sweep never runs beside another; without, that is harmless.
  EOT
  type        = map(number)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.reserved_concurrency), ["manager", "dead_letter", "sweep"])) == 0
    error_message = "The functions are manager, dead_letter and sweep."
  }

  validation {
    condition     = alltrue([for function, reserved in var.reserved_concurrency : reserved != 0])
    error_message = "With 0 the function never runs."
  }
}

variable "max_orphans" {
  description = "IAM users without a row that one sweep may remove; with more than that it removes none. limits.max_deletes."
  type        = number

  validation {
    condition     = var.max_orphans >= 0 && floor(var.max_orphans) == var.max_orphans
    error_message = "A whole number from 0, which removes none."
  }
}

variable "max_orphan_percent" {
  description = "The same as a share of all users, in per cent; both limits hold. limits.max_delete_percent."
  type        = number

  validation {
    condition     = var.max_orphan_percent >= 0 && var.max_orphan_percent <= 100 && floor(var.max_orphan_percent) == var.max_orphan_percent
    error_message = "A whole number from 0, which removes none, to 100, which is no limit."
  }
}
