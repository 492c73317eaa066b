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
  description = "Name of the DynamoDB table. It is created unless existing_table is true."
  type        = string
}

variable "existing_table" {
  description = "true if the table exists already: it is only read. It needs the string keys PK and SK and a stream with NEW_AND_OLD_IMAGES."
  type        = bool
  nullable    = false
  default     = false
}

variable "deletion_protection" {
  description = "Protects a table that is created from deletion, and sets the deletion window of the KMS key to 30 days instead of 7."
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
  description = "ARNs of the roles and users of this account that may decrypt credentials. They must exist. No other principal can decrypt them."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.credential_readers : can(regex("^arn:[^:]+:iam::${var.account_id}:(role|user)/", arn))])
    error_message = "Each reader must be the ARN of a role or user of account ${var.account_id}. Readers of other accounts belong in external_credential_readers."
  }
}

variable "external_credential_readers" {
  description = "ARNs of the roles and users of other accounts that may decrypt credentials, by a role that they assume. They must exist."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for arn in var.external_credential_readers :
      can(regex("^arn:[^:]+:iam::[0-9]{12}:(role|user)/[^*?]+$", arn)) && !strcontains(arn, "::${var.account_id}:")
    ])
    error_message = "Each external reader must be the ARN of a role or user of another account. Readers of account ${var.account_id} belong in credential_readers."
  }
}

variable "role_path" {
  description = "Path of the roles."
  type        = string
  default     = "/"

  validation {
    condition     = can(regex("^/([!-~]+/)?$", var.role_path))
    error_message = "The path must begin and end with /, for example /platform/."
  }
}

variable "role_permissions_boundary" {
  description = "ARN of the permissions boundary of the roles, where the organisation requires one; null for none."
  type        = string
  default     = null
}

variable "iam_user_tags" {
  description = "Tags of the IAM user of every SMTP user. The sweep restores them; tags that are removed here stay on the users."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition = length(setintersection(
      [for key in keys(var.iam_user_tags) : lower(key)], [
        "managed-by", "smtp-environment", "smtp-user", "smtp-commit", "smtp-pull-request", "smtp-approver", "smtp-run",
      ],
    )) == 0
    error_message = "The system sets managed-by and smtp-environment, -user, -commit, -pull-request, -approver, -run."
  }

  # IAM allows 50 tags per user; the system sets seven.
  validation {
    condition     = length(var.iam_user_tags) <= 40
    error_message = "At most 40 tags: IAM allows 50 per user, and the system sets some itself."
  }

  validation {
    condition     = length(distinct([for key in keys(var.iam_user_tags) : lower(key)])) == length(var.iam_user_tags)
    error_message = "IAM does not distinguish tag keys by case: two keys are the same."
  }
}

variable "log_retention_days" {
  description = "Retention of the functions' logs, in days."
  type        = number
  default     = 365
}

variable "reserved_concurrency" {
  description = <<-EOT
    Reserved concurrency by function (manager, dead_letter, sweep). A function without an entry shares the concurrency of the
    account, of which AWS keeps at least 10 unreserved: a new account with a limit of 10 can reserve none. IAM throttles the
    whole account, not a single function. With sweep = 1, two sweeps never run at the same time; two of them are harmless.
  EOT
  type        = map(number)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.reserved_concurrency), ["manager", "dead_letter", "sweep"])) == 0
    error_message = "The keys must be manager, dead_letter or sweep."
  }

  validation {
    condition     = alltrue([for function, reserved in var.reserved_concurrency : reserved >= 1 && floor(reserved) == reserved])
    error_message = "The values must be whole numbers of at least 1: with 0, the function would never run."
  }

  # Lambda would invoke the function more often than it may run; the messages that are throttled count as received.
  validation {
    condition = (
      lookup(var.reserved_concurrency, "dead_letter", var.pipeline.dead_letters.maximum_concurrency) >=
      var.pipeline.dead_letters.maximum_concurrency
    )
    error_message = "dead_letter must be at least ${var.pipeline.dead_letters.maximum_concurrency}, the maximum concurrency of its queue."
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

variable "wide_reads" {
  description = "Whether the sweep and operators may read all IAM users of the account, their policies included, in one call."
  type        = bool
  nullable    = false
  default     = true
}
