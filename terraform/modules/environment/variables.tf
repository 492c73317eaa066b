variable "environment" {
  description = "Name of the environment, as in reconcile.yaml."
  type        = string
}

variable "settings" {
  description = "Entry of the environment in reconcile.yaml."
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
  description = "Content of reconciler/pipeline/pipeline.yaml."
  type        = any
}

variable "code" {
  description = "Path of the Lambda zip (make package)."
  type        = string
}

variable "github_subject_prefix" {
  description = "Repository whose workflows may reconcile: repo:ORG/REPO, or with immutable ids repo:ORG@ID/REPO@ID."
  type        = string
}

variable "oidc_provider_arn" {
  description = "ARN of the account's existing OIDC provider for GitHub; null creates it."
  type        = string
  default     = null
}

variable "existing_table_stream_arn" {
  description = "Stream ARN of an existing table with NEW_AND_OLD_IMAGES; null creates the table."
  type        = string
  default     = null
}

variable "credential_readers" {
  description = "ARNs of the roles or users that may decrypt credentials."
  type        = list(string)
  default     = []
}

variable "alarm_emails" {
  description = "Email addresses that receive the alarms."
  type        = list(string)
  default     = []
}

variable "dmarc_report_address" {
  description = "Email address that receives DMARC aggregate reports; null requests no reports."
  type        = string
  default     = null
}

variable "tls_report_address" {
  description = "Email address that receives TLS-RPT reports; null creates no TLS-RPT record."
  type        = string
  default     = null
}

variable "reserved_concurrency" {
  description = "Reserved concurrency by function (manager, dead_letter, sweep). -1, or no entry, reserves none."
  type        = map(number)
  default     = {}
}

variable "dmarc_policy" {
  description = "DMARC policy: what receivers do with mail that fails: none, quarantine or reject."
  type        = string
  default     = "none"
}

variable "mta_sts_mode" {
  description = "Mode of the MTA-STS policy for mail that the domains receive: testing, enforce or none."
  type        = string
  default     = "testing"
}

variable "receiving_hosts" {
  description = "Hosts of the domain's MX records for its MTA-STS policy, by domain."
  type        = map(list(string))
  default     = {}
}

variable "dkim_signing_zones" {
  description = "Target zone of the DKIM CNAME records, by region, where neither the provider nor the built-in table contains it."
  type        = map(string)
  default     = {}
}

variable "log_retention_days" {
  description = "Retention of the functions' logs, in days."
  type        = number
  default     = 365
}
