locals {
  # A MAIL FROM subdomain must have exactly one MX record, and its target is regional. Each additional region therefore needs
  # its own label.
  mail_from_labels = {
    for region in var.smtp_regions :
    region => region == local.home_region ? var.mail_from_label : "${var.mail_from_label}-${region}"
  }
}

resource "aws_sesv2_email_identity_mail_from_attributes" "this" {
  for_each = local.managed_senders

  region           = each.value.region
  email_identity   = aws_sesv2_email_identity.this[each.key].email_identity
  mail_from_domain = "${local.mail_from_labels[each.value.region]}.${each.value.domain}"

  # While the MX record is missing, SES uses amazonses.com. SPF is then not aligned, but DKIM is, and mail is delivered.
  behavior_on_mx_failure = "USE_DEFAULT_VALUE"
}
