variable "environment" {
  description = "Name of the environment, for example test. Part of every resource name and of the metrics' dimensions."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment)) # the name of an X-Ray group has at most 32 characters
    error_message = "The environment name must have 1 to 20 characters of a-z, 0-9 and -, and start with a letter."
  }
}

variable "account_id" {
  description = "AWS account id. Topics accept messages only from this account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id must have 12 digits."
  }
}

variable "smtp_regions" {
  description = "SES regions that mail is sent through. Each is monitored in its own region."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.smtp_regions) > 0 && length(var.smtp_regions) == length(distinct(var.smtp_regions))
    error_message = "At least one region is required, without duplicates."
  }

  validation {
    condition     = alltrue([for region in var.smtp_regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", region))])
    error_message = "A region must have the form eu-central-1."
  }
}

variable "home_region" {
  description = "Region of the functions, queues and table. Default: the first of smtp_regions."
  type        = string
  default     = null
}

variable "configuration_set" {
  description = "SES configuration set whose events are published and kept. It must exist in each region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.configuration_set))
    error_message = "The configuration set name must have 1 to 64 characters of A-Z, a-z, 0-9, _ and -."
  }
}

variable "functions" {
  description = "Functions to monitor (manager, dead_letter and sweep), each with its name and log group."
  type        = map(object({ name = string, log_group = string }))
  nullable    = false

  validation {
    condition     = length(setsubtract(["manager", "dead_letter", "sweep"], keys(var.functions))) == 0
    error_message = "The functions manager, dead_letter and sweep are all required: without one, its alarms would never fire."
  }
}

variable "metric_service" {
  description = "Value of the dimension service in the functions' metrics (SERVICE in reconciler/manager/handlers/telemetry.py)."
  type        = string
  nullable    = false
  default     = "smtp-credential-manager"
}

variable "dead_letter_queue_name" {
  description = "Queue for batches that the stream mapping failed to deliver; the dead-letter function processes it."
  type        = string
  nullable    = false
}

variable "parking_queue_name" {
  description = "Queue for dead letters whose retries are exhausted; an operator must handle them."
  type        = string
  nullable    = false
}

variable "table_name" {
  description = "DynamoDB table that holds the records. The dashboard shows its throttling."
  type        = string
  nullable    = false
}

variable "alarm_emails" {
  description = "Email addresses that receive the alarms. Each must confirm one subscription per region."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "Each entry must be an email address such as operators@example.com."
  }
}

variable "thresholds" {
  description = <<-EOT
    When alarms fire: the setting alarm_thresholds of the environment. Rates are fractions: AWS reviews an account at a bounce
    rate of 0.05 and a complaint rate of 0.001, and may pause its sending at 0.10 and 0.005. The stream keeps changes for 24
    hours; the last of 5,000 users, as many as IAM allows, waits in it for about 35 minutes when they are created and 50 when
    they are deleted. A complete round of the sweep takes one hourly run, or one per 2,000 users without wide_reads.
  EOT
  type = object({
    bounce_rate_warning    = optional(number, 0.02)
    bounce_rate            = optional(number, 0.05)
    complaint_rate_warning = optional(number, 0.0005)
    complaint_rate         = optional(number, 0.001)
    iterator_age_minutes   = optional(number, 90)
    removed_users          = optional(number, 10) # within an hour
    repaired_users         = optional(number, 1)  # within an hour
    unchecked_runs         = optional(number, 3)  # consecutive sweeps
    sweep_overdue_hours    = optional(number, 24)
  })
  nullable = false
  default  = {}

  validation {
    condition     = 0 < var.thresholds.bounce_rate_warning && var.thresholds.bounce_rate_warning < var.thresholds.bounce_rate && var.thresholds.bounce_rate <= 0.10
    error_message = "bounce_rate_warning must be above 0 and below bounce_rate, and bounce_rate at most 0.10, where AWS may pause sending. 5 % is 0.05."
  }

  validation {
    condition     = 0 < var.thresholds.complaint_rate_warning && var.thresholds.complaint_rate_warning < var.thresholds.complaint_rate && var.thresholds.complaint_rate <= 0.005
    error_message = "complaint_rate_warning must be above 0 and below complaint_rate, and complaint_rate at most 0.005, where AWS may pause sending. 0.1 % is 0.001."
  }

  validation {
    condition     = var.thresholds.iterator_age_minutes >= 1 && var.thresholds.iterator_age_minutes <= 720
    error_message = "iterator_age_minutes must be between 1 and 720 (12 hours); the stream discards changes after 24 hours."
  }

  validation {
    condition     = var.thresholds.removed_users >= 1 && var.thresholds.repaired_users >= 1
    error_message = "removed_users and repaired_users must be at least 1: with 0, the alarm would always fire."
  }

  validation {
    condition     = var.thresholds.unchecked_runs >= 1 && var.thresholds.unchecked_runs <= 23
    error_message = "unchecked_runs must be between 1 and 23 hourly sweeps."
  }

  validation {
    condition     = var.thresholds.sweep_overdue_hours >= 4 && var.thresholds.sweep_overdue_hours <= 168
    error_message = "sweep_overdue_hours must be from 4 (the longest round of a full account) to 168 (the longest time that an alarm can cover)."
  }
}

variable "log_retention_days" {
  description = "Days that mail events (bounces, complaints, rejects, delays) are kept. They contain addresses, so they are personal data."
  type        = number
  nullable    = false
  default     = 365
}

variable "topic_kms_keys" {
  description = <<-EOT
    ARN of an existing customer-managed KMS key that encrypts the topics, by region. The key policy must allow
    cloudwatch.amazonaws.com and ses.amazonaws.com to call kms:GenerateDataKey* and kms:Decrypt.
  EOT
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition = alltrue([
      for region, key in var.topic_kms_keys : can(regex("^arn:[^:]+:kms:${region}:[0-9]{12}:key/", key))
    ])
    error_message = "Each key must be given as an ARN in the same region. With alias/aws/sns alarms would be lost."
  }
}

variable "wide_reads" {
  description = "Whether the sweep may read all IAM users of the account in one call. Then a round takes one run."
  type        = bool
  nullable    = false
  default     = true
}
