# The configuration set of every message. SMTP users can send through no other set, so they cannot bypass event publishing.
resource "aws_sesv2_configuration_set" "this" {
  for_each = toset(var.smtp_regions)

  region                 = each.key
  configuration_set_name = var.configuration_set

  delivery_options {
    tls_policy = "REQUIRE" # without TLS at the receiver the message bounces; it is never sent in plain text
  }

  reputation_options {
    reputation_metrics_enabled = true
  }

  sending_options {
    sending_enabled = true
  }

  # SES sends no more mail to an address that bounced permanently or complained. This protects the sending reputation.
  suppression_options {
    suppressed_reasons = ["BOUNCE", "COMPLAINT"]
  }

  tags = var.tags
}
