variable "environment" {
  description = "Name of the environment, for example test."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.environment))
    error_message = "The environment name must have 1 to 32 characters of a-z, 0-9 and -, and start with a letter."
  }
}

variable "domains" {
  description = "Domains to send from: allowed_domains of the environment. Each gets its own identity in every region."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.domains) > 0
    error_message = "At least one domain is required."
  }

  validation {
    condition = alltrue([
      for domain in var.domains :
      length(domain) <= 253 && can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$", domain))
    ])
    error_message = "A domain must be in lower case, without a trailing dot, for example mail.example.com."
  }
}

variable "smtp_regions" {
  description = "SES regions to send through. The first is the home region: its MAIL FROM label has no suffix."
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

variable "configuration_set" {
  description = "Name of the SES configuration set, the same in each region. SMTP users can send through no other set."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.configuration_set))
    error_message = "The configuration set name must have 1 to 64 characters of A-Z, a-z, 0-9, _ and -."
  }
}

variable "existing_configuration_set" {
  description = "true if the configuration set exists already in every region: it is only read."
  type        = bool
  nullable    = false
  default     = false
}

variable "existing_identities" {
  description = "Domains whose identity exists already in every region: it is only read, and keeps its default configuration set and its MAIL FROM."
  type        = set(string)
  nullable    = false
  default     = []

  validation {
    condition     = length(setsubtract(var.existing_identities, var.domains)) == 0
    error_message = "Each existing identity must be one of the domains."
  }
}

variable "mail_from_label" {
  description = "Label of the MAIL FROM subdomain in the home region: bounce gives bounce.example.com. Other regions append their name."
  type        = string
  nullable    = false
  default     = "bounce"

  validation {
    condition = (
      can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", var.mail_from_label)) &&
      alltrue([for region in var.smtp_regions : length("${var.mail_from_label}-${region}") <= 63])
    )
    error_message = "The label must consist of a-z, 0-9 and inner -, and have at most 63 characters including a region's name."
  }

  validation {
    # SES requires that a MAIL FROM domain is not used to send mail from, and that it receives no other mail.
    condition = alltrue([
      for domain in var.domains : alltrue([
        for region in var.smtp_regions :
        !contains(var.domains, "${var.mail_from_label}.${domain}") &&
        !contains(var.domains, "${var.mail_from_label}-${region}.${domain}")
      ])
    ])
    error_message = "A MAIL FROM subdomain must not be one of the sending domains: choose another mail_from_label."
  }
}

variable "dmarc_policy" {
  description = "DMARC policy: what receivers do with mail that fails. Start with none, then quarantine, then reject (docs/dns.md)."
  type        = string
  nullable    = false
  default     = "none"

  validation {
    condition     = contains(["none", "quarantine", "reject"], var.dmarc_policy)
    error_message = "The DMARC policy must be none, quarantine or reject."
  }
}

variable "dmarc_report_address" {
  description = "Email address that receives DMARC aggregate reports; null requests no reports."
  type        = string
  default     = null

  validation {
    condition = (
      var.dmarc_report_address == null ||
      can(regex("^[A-Za-z0-9._+-]+@([a-z0-9-]+\\.)+[a-z0-9-]+$", var.dmarc_report_address))
    )
    error_message = "The report address must be an email address such as dmarc@example.com, with its domain in lower case."
  }
}

variable "tls_report_address" {
  description = "Email address that receives TLS-RPT reports; null creates no TLS-RPT record."
  type        = string
  default     = null

  validation {
    condition = (
      var.tls_report_address == null ||
      can(regex("^[A-Za-z0-9._+-]+@([a-z0-9-]+\\.)+[a-z0-9-]+$", var.tls_report_address))
    )
    error_message = "The report address must be an email address such as tls@example.com, with its domain in lower case."
  }
}

variable "mta_sts_mode" {
  description = "Mode of the MTA-STS policy for mail that the domains receive. Start with testing, then enforce; none withdraws the policy."
  type        = string
  nullable    = false
  default     = "testing"

  validation {
    condition     = contains(["testing", "enforce", "none"], var.mta_sts_mode)
    error_message = "The MTA-STS mode must be testing, enforce or none."
  }
}

variable "receiving_hosts" {
  description = "Hosts of the domain's MX records for its MTA-STS policy, by domain. A domain without an entry gets a template to fill in."
  type        = map(list(string))
  nullable    = false
  default     = {}

  validation {
    condition = alltrue([
      for domain, hosts in var.receiving_hosts : contains(var.domains, domain) && length(hosts) > 0
    ])
    error_message = "Each key must be one of the domains, with at least one host."
  }
}

variable "dkim_signing_zones" {
  description = <<-EOT
    Target zone of the DKIM CNAME records, by region. Required only where the provider does not report the zone of the
    identity and the built-in table does not contain the region.
  EOT
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for region, zone in var.dkim_signing_zones : can(regex("^([a-z0-9-]+\\.)+[a-z]+$", zone))])
    error_message = "A zone must be in lower case, without a trailing dot, for example dkim.amazonses.com."
  }
}
