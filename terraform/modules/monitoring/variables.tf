variable "environment" {
  description = "Name of the environment, for example test. Stands in every name and in the metrics' dimension."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.environment))
    error_message = "The environment is 1 to 32 of a-z, 0-9 and -, and starts with a letter."
  }
}

variable "account_id" {
  description = "The AWS account. Topics accept messages from it alone."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id is 12 digits."
  }
}

variable "smtp_regions" {
  description = "SES regions that are sent through. Each is watched in its own region."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.smtp_regions) > 0 && length(var.smtp_regions) == length(distinct(var.smtp_regions))
    error_message = "At least one region is needed, and each only once."
  }

  validation {
    condition     = alltrue([for region in var.smtp_regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", region))])
    error_message = "A region looks like eu-central-1."
  }
}

variable "home_region" {
  description = "Region of the functions, queues and table. The first of smtp_regions when left out."
  type        = string
  default     = null
}

variable "configuration_set" {
  description = "SES configuration set whose bounces and complaints are published. It must exist in each region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.configuration_set))
    error_message = "The configuration set is 1 to 64 of A-Z, a-z, 0-9, _ and -."
  }
}

variable "functions" {
  description = "Functions to watch: manager, dead_letter and sweep, with name and log group of each."
  type        = map(object({ name = string, log_group = string }))
  nullable    = false

  validation {
    condition     = length(setsubtract(["manager", "dead_letter", "sweep"], keys(var.functions))) == 0
    error_message = "manager, dead_letter and sweep are all needed: each has alarms that would be silent without it."
  }
}

variable "metric_service" {
  description = "Value of the dimension service in the functions' own metrics (SERVICE in reconciler/manager/handlers/telemetry.py)."
  type        = string
  nullable    = false
  default     = "smtp-credential-manager"
}

variable "dead_letter_queue_name" {
  description = "Queue of what the stream mapping gave up on; the dead-letter function works it off."
  type        = string
  nullable    = false
}

variable "parking_queue_name" {
  description = "Queue behind the dead-letter queue: what a person must look at."
  type        = string
  nullable    = false
}

variable "table_name" {
  description = "DynamoDB table of the records, for its throttling on the dashboard."
  type        = string
  nullable    = false
}

variable "alarm_emails" {
  description = "Mailboxes that get the alarms. Each confirms one subscription per region."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "An entry is a mailbox such as operators@example.com."
  }
}

variable "bounce_rate_threshold" {
  description = "Share of bounces that raises the alarm. AWS reviews an account at 0.05 and may pause it at 0.10."
  type        = number
  nullable    = false
  default     = 0.05

  validation {
    condition     = var.bounce_rate_threshold > 0 && var.bounce_rate_threshold <= 0.10
    error_message = "A share above 0 and at most 0.10, where AWS may pause sending. 5 % is 0.05."
  }
}

variable "complaint_rate_threshold" {
  description = "Share of complaints that raises the alarm. AWS reviews an account at 0.001, may pause it at 0.005."
  type        = number
  nullable    = false
  default     = 0.001

  validation {
    condition     = var.complaint_rate_threshold > 0 && var.complaint_rate_threshold <= 0.005
    error_message = "A share above 0 and at most 0.005, where AWS may pause sending. 0.1 % is 0.001."
  }
}

variable "iterator_age_threshold_minutes" {
  description = "Minutes that a change may wait in the stream before the alarm. Above 24 h the stream loses it."
  type        = number
  nullable    = false
  default     = 15

  validation {
    condition     = var.iterator_age_threshold_minutes >= 1 && var.iterator_age_threshold_minutes <= 720
    error_message = "Between 1 minute and 720: half of the day that the stream keeps a change."
  }
}

variable "drift_threshold" {
  description = "Users repaired in an hour that raise the alarm. More than 1 where edits by hand are a habit."
  type        = number
  nullable    = false
  default     = 1

  validation {
    condition     = var.drift_threshold >= 1
    error_message = "At least 1: with 0 every sweep would raise it."
  }
}

variable "unchecked_runs_threshold" {
  description = "Sweeps in a row with users that could not be checked that raise the alarm. One alone may be throttling."
  type        = number
  nullable    = false
  default     = 3

  validation {
    condition     = var.unchecked_runs_threshold >= 1 && var.unchecked_runs_threshold <= 23
    error_message = "Between 1 and 23 hourly sweeps."
  }
}

variable "sweep_overdue_hours" {
  description = "Hours without a whole round of the sweep that raise the alarm. A round takes one hourly run for each 2,000 users."
  type        = number
  nullable    = false
  default     = 24

  validation {
    condition     = var.sweep_overdue_hours >= 4 && var.sweep_overdue_hours <= 168
    error_message = "Between 4 hours, which a round of a full account may take, and the 168 that an alarm can look back."
  }
}

variable "topic_kms_keys" {
  description = <<-EOT
    Region to the ARN of an existing customer-managed KMS key that encrypts its topics. The key's policy must let
    cloudwatch.amazonaws.com and ses.amazonaws.com use kms:GenerateDataKey* and kms:Decrypt.
  EOT
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition = alltrue([
      for region, key in var.topic_kms_keys : can(regex("^arn:[^:]+:kms:${region}:[0-9]{12}:key/", key))
    ])
    error_message = "A key is given by its ARN, of the same region. With alias/aws/sns alarms would be lost."
  }
}

variable "tags" {
  description = "Tags of every resource that takes tags."
  type        = map(string)
  nullable    = false
  default     = {}
}
