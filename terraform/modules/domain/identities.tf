locals {
  home_region = var.smtp_regions[0]

  # One entry per domain and region, with keys such as "example.com/eu-central-1".
  senders = {
    for pair in setproduct(sort(var.domains), var.smtp_regions) :
    "${pair[0]}/${pair[1]}" => { domain = pair[0], region = pair[1] }
  }
}

resource "aws_sesv2_email_identity" "this" {
  for_each = local.senders

  region         = each.value.region
  email_identity = each.value.domain

  # The default configuration set, because mail clients such as Gmail cannot specify one.
  configuration_set_name = aws_sesv2_configuration_set.this[each.value.region].configuration_set_name

  dkim_signing_attributes {
    next_signing_key_length = "RSA_2048_BIT"
  }

  tags = var.tags
}
