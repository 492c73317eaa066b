locals {
  home_region = var.smtp_regions[0]

  # One entry per domain and region, with keys such as "example.com/eu-central-1".
  senders = {
    for pair in setproduct(sort(var.domains), var.smtp_regions) :
    "${pair[0]}/${pair[1]}" => { domain = pair[0], region = pair[1] }
  }

  managed_senders  = { for key, sender in local.senders : key => sender if !contains(var.existing_identities, sender.domain) }
  existing_senders = { for key, sender in local.senders : key => sender if contains(var.existing_identities, sender.domain) }

  identities = merge(aws_sesv2_email_identity.this, data.aws_sesv2_email_identity.existing)
}

resource "aws_sesv2_email_identity" "this" {
  for_each = local.managed_senders

  region         = each.value.region
  email_identity = each.value.domain

  # The default configuration set, because mail clients such as Gmail cannot specify one.
  configuration_set_name = local.configuration_sets[each.value.region].configuration_set_name

  dkim_signing_attributes {
    next_signing_key_length = "RSA_2048_BIT"
  }
}

# Identities that exist already, and may be in use by others: nothing is changed on them.
data "aws_sesv2_email_identity" "existing" {
  for_each = local.existing_senders

  region         = each.value.region
  email_identity = each.value.domain
}

locals {
  configuration_sets = merge(aws_sesv2_configuration_set.this, data.aws_sesv2_configuration_set.existing)

  # Null or the empty string where an identity has no default configuration set.
  default_configuration_sets = {
    for key, identity in data.aws_sesv2_email_identity.existing : key => try(coalesce(identity.configuration_set_name), "none")
  }
}

# SES uses the default configuration set of the identity for a message that names none. The policy of an SMTP user allows only
# our set, so that no sender can bypass event publishing: SES rejects the message if the default is another set.
# https://docs.aws.amazon.com/ses/latest/dg/managing-configuration-sets.html#default-config-sets
check "default_configuration_set_of_existing_identities" {
  assert {
    condition = alltrue([for name in local.default_configuration_sets : contains(["none", var.configuration_set], name)])
    error_message = join(" ", [
      "Existing identities have another default configuration set:",
      join(", ", [
        for key, name in local.default_configuration_sets : "${key} (${name})" if !contains(["none", var.configuration_set], name)
      ]),
      "- SES rejects a message of an SMTP user (554 Access denied) unless the client adds the header",
      "X-SES-CONFIGURATION-SET: ${var.configuration_set}. docs/existing-resources.md describes the choices.",
    ])
  }

  assert {
    condition = !contains(values(local.default_configuration_sets), "none")
    error_message = join(" ", [
      "Existing identities have no default configuration set:",
      join(", ", [for key, name in local.default_configuration_sets : key if name == "none"]),
      "- bounces and complaints of a message are recorded only if the client adds the header",
      "X-SES-CONFIGURATION-SET: ${var.configuration_set}. docs/existing-resources.md describes the choices.",
    ])
  }
}
