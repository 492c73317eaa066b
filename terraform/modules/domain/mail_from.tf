locals {
  # A MAIL FROM sub-domain has exactly one MX, and that names a region. So every further region has a label of its own.
  mail_from_labels = {
    for region in var.smtp_regions :
    region => region == local.home_region ? var.mail_from_label : "${var.mail_from_label}-${region}"
  }
}

resource "aws_sesv2_email_identity_mail_from_attributes" "this" {
  for_each = local.senders

  region           = each.value.region
  email_identity   = aws_sesv2_email_identity.this[each.key].email_identity
  mail_from_domain = "${local.mail_from_labels[each.value.region]}.${each.value.domain}"

  # While the MX is missing SES uses amazonses.com: SPF then aligns no more, but DKIM does, and mail flows.
  behavior_on_mx_failure = "USE_DEFAULT_VALUE"
}
