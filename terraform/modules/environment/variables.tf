variable "environment" {
  description = "Name of the environment, as in reconcile.yaml."
  type        = string
}

variable "settings" {
  description = "Its entry in reconcile.yaml."
  type = object({
    account_id        = string
    region            = string
    smtp_regions      = optional(list(string))
    table             = string
    configuration_set = string
    allowed_domains   = list(string)
    allow_wildcards   = optional(bool, false)
    limits            = object({ max_deletes = number, max_delete_percent = number })
    local             = optional(bool, false)
  })
}

variable "pipeline" {
  description = "reconciler/pipeline/pipeline.yaml."
  type        = any
}

variable "code" {
  description = "Path of the Lambda zip (make package)."
  type        = string
}

variable "github_subject_prefix" {
  description = "repo:ORG/REPO, or with immutable ids repo:ORG@ID/REPO@ID: whose workflows may reconcile."
  type        = string
}

variable "oidc_provider_arn" {
  description = "ARN of the account's provider for GitHub's tokens; null to create it."
  type        = string
  default     = null
}

variable "existing_table_stream_arn" {
  description = "Stream ARN (NEW_AND_OLD_IMAGES) of a table that exists; null to create the table."
  type        = string
  default     = null
}

variable "credential_readers" {
  description = "ARNs of the roles or users that may read credentials."
  type        = list(string)
  default     = []
}

variable "alarm_emails" {
  description = "Addresses that alarms are sent to."
  type        = list(string)
  default     = []
}

variable "dmarc_report_address" {
  description = "Where receivers send DMARC reports to; null for none."
  type        = string
  default     = null
}

variable "tls_report_address" {
  description = "Where senders send TLS reports to; null for none."
  type        = string
  default     = null
}

variable "reserved_concurrency" {
  description = "Function (manager, dead_letter, sweep) to its reserved concurrency; left out or -1 reserves none."
  type        = map(number)
  default     = {}
}

variable "dmarc_policy" {
  description = "What receivers do with mail that fails DMARC: none, quarantine or reject."
  type        = string
  default     = "none"
}

variable "mta_sts_mode" {
  description = "Mode of the MTA-STS policy for mail the domains receive: testing, enforce or none."
  type        = string
  default     = "testing"
}

variable "receiving_hosts" {
  description = "Hosts of each domain's own MX records, for its MTA-STS policy."
  type        = map(list(string))
  default     = {}
}

variable "dkim_signing_zones" {
  description = "Region to the zone that DKIM CNAMEs point into, where neither provider nor AWS's table knows it."
  type        = map(string)
  default     = {}
}

variable "log_retention_days" {
  description = "Days for which the functions' logs are kept."
  type        = number
  default     = 365
}
