variable "environment" {
  description = "Name of the environment, for example test."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.environment))
    error_message = "The environment is 1 to 32 of a-z, 0-9 and -, and starts with a letter."
  }
}

variable "domains" {
  description = "Domains to send from: the environment's allowed_domains. Each gets an identity of its own in every region."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.domains) > 0
    error_message = "At least one domain is needed."
  }

  validation {
    condition = alltrue([
      for domain in var.domains :
      length(domain) <= 253 && can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$", domain))
    ])
    error_message = "A domain is written in lower case, without a trailing dot, for example mail.example.com."
  }
}

variable "smtp_regions" {
  description = "SES regions to send through. The first is home: its MAIL FROM label carries no suffix."
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

variable "configuration_set" {
  description = "Name of the SES configuration set, the same in each region. SMTP users may send through no other."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.configuration_set))
    error_message = "The configuration set is 1 to 64 of A-Z, a-z, 0-9, _ and -."
  }
}

variable "mail_from_label" {
  description = "Label of the MAIL FROM sub-domain at home: bounce gives bounce.example.com. Other regions append theirs."
  type        = string
  nullable    = false
  default     = "bounce"

  validation {
    condition = (
      can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", var.mail_from_label)) &&
      alltrue([for region in var.smtp_regions : length("${var.mail_from_label}-${region}") <= 63])
    )
    error_message = "The label is of a-z, 0-9 and inner -, and at most 63 characters together with a region's name."
  }

  validation {
    # SES: a MAIL FROM domain must not be one that is sent from, and its MX must not be one that receives mail.
    condition = alltrue([
      for domain in var.domains : alltrue([
        for region in var.smtp_regions :
        !contains(var.domains, "${var.mail_from_label}.${domain}") &&
        !contains(var.domains, "${var.mail_from_label}-${region}.${domain}")
      ])
    ])
    error_message = "A MAIL FROM sub-domain must not be a domain that is sent from: choose another mail_from_label."
  }
}

variable "dmarc_policy" {
  description = "What receivers do with mail that fails DMARC. Start with none, then quarantine, then reject (docs/dns.md)."
  type        = string
  nullable    = false
  default     = "none"

  validation {
    condition     = contains(["none", "quarantine", "reject"], var.dmarc_policy)
    error_message = "The DMARC policy is none, quarantine or reject."
  }
}

variable "dmarc_report_address" {
  description = "Mailbox that receives DMARC aggregate reports. Without one no reports are asked for."
  type        = string
  default     = null

  validation {
    condition = (
      var.dmarc_report_address == null ||
      can(regex("^[A-Za-z0-9._+-]+@([a-z0-9-]+\\.)+[a-z0-9-]+$", var.dmarc_report_address))
    )
    error_message = "The report address is a mailbox such as dmarc@example.com, its domain in lower case."
  }
}

variable "tls_report_address" {
  description = "Mailbox that receives TLS-RPT reports. Without one there is no TLS-RPT record: it would say nothing."
  type        = string
  default     = null

  validation {
    condition = (
      var.tls_report_address == null ||
      can(regex("^[A-Za-z0-9._+-]+@([a-z0-9-]+\\.)+[a-z0-9-]+$", var.tls_report_address))
    )
    error_message = "The report address is a mailbox such as tls@example.com, its domain in lower case."
  }
}

variable "mta_sts_mode" {
  description = "Mode of the MTA-STS policy for mail the domains receive: testing first, then enforce; none withdraws it."
  type        = string
  nullable    = false
  default     = "testing"

  validation {
    condition     = contains(["testing", "enforce", "none"], var.mta_sts_mode)
    error_message = "The MTA-STS mode is testing, enforce or none."
  }
}

variable "receiving_hosts" {
  description = "Hosts of each domain's own MX records, for its MTA-STS policy. A domain left out gets a template to fill in."
  type        = map(list(string))
  nullable    = false
  default     = {}

  validation {
    condition = alltrue([
      for domain, hosts in var.receiving_hosts : contains(var.domains, domain) && length(hosts) > 0
    ])
    error_message = "Receiving hosts are given for declared domains only, at least one for each."
  }
}

variable "dkim_signing_zones" {
  description = <<-EOT
    Region to the zone that the DKIM CNAMEs point into. Needed only where the provider does not report the identity's
    own zone and AWS's table does not know the region yet.
  EOT
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for region, zone in var.dkim_signing_zones : can(regex("^([a-z0-9-]+\\.)+[a-z]+$", zone))])
    error_message = "A zone is written in lower case without a trailing dot, for example dkim.amazonses.com."
  }
}

variable "tags" {
  description = "Tags of every resource that takes tags."
  type        = map(string)
  nullable    = false
  default     = {}
}
