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
