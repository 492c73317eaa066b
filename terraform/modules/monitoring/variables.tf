variable "environment" {
  description = "Name of the environment, for example test. Part of every resource name and of the metrics' dimensions."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.environment))
    error_message = "The environment name must have 1 to 32 characters of a-z, 0-9 and -, and start with a letter."
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
  description = "SES configuration set whose bounces and complaints are published. It must exist in each region."
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

variable "bounce_rate_threshold" {
  description = "Bounce rate, as a fraction, that raises the alarm. AWS reviews an account at 0.05 and may pause its sending at 0.10."
  type        = number
  nullable    = false
  default     = 0.05

  validation {
    condition     = var.bounce_rate_threshold > 0 && var.bounce_rate_threshold <= 0.10
    error_message = "The rate must be above 0 and at most 0.10, where AWS may pause sending. It is a fraction: 5 % is 0.05."
  }
}

variable "complaint_rate_threshold" {
  description = "Complaint rate, as a fraction, that raises the alarm. AWS reviews an account at 0.001 and may pause its sending at 0.005."
  type        = number
  nullable    = false
  default     = 0.001

  validation {
    condition     = var.complaint_rate_threshold > 0 && var.complaint_rate_threshold <= 0.005
    error_message = "The rate must be above 0 and at most 0.005, where AWS may pause sending. It is a fraction: 0.1 % is 0.001."
  }
}

variable "iterator_age_threshold_minutes" {
  description = "Minutes that a change may wait in the stream before the alarm fires. The stream discards changes after 24 hours."
  type        = number
  nullable    = false
  default     = 15

  validation {
    condition     = var.iterator_age_threshold_minutes >= 1 && var.iterator_age_threshold_minutes <= 720
    error_message = "The threshold must be between 1 and 720 minutes (12 hours); the stream discards changes after 24 hours."
  }
}

variable "drift_threshold" {
  description = "Number of users repaired in one hour that raises the alarm. Use more than 1 where manual changes are common."
  type        = number
  nullable    = false
  default     = 1

  validation {
    condition     = var.drift_threshold >= 1
    error_message = "The threshold must be at least 1: with 0, every sweep would raise the alarm."
  }
}

variable "unchecked_runs_threshold" {
  description = "Number of consecutive sweeps with unchecked users that raises the alarm. A single one may be caused by throttling."
  type        = number
  nullable    = false
  default     = 3

  validation {
    condition     = var.unchecked_runs_threshold >= 1 && var.unchecked_runs_threshold <= 23
    error_message = "The threshold must be between 1 and 23 hourly sweeps."
  }
}

variable "sweep_overdue_hours" {
  description = "Hours without a completed round of the sweep that raise the alarm. A round takes one hourly run per 2,000 users."
  type        = number
  nullable    = false
  default     = 24

  validation {
    condition     = var.sweep_overdue_hours >= 4 && var.sweep_overdue_hours <= 168
    error_message = "The threshold must be from 4 hours (the longest round of a full account) to 168 (the longest period of an alarm)."
  }
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

variable "tags" {
  description = "Tags for every resource that supports tags."
  type        = map(string)
  nullable    = false
  default     = {}
}
