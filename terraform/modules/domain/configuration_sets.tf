# What every message passes. SMTP users are confined to this set, so nobody escapes its event publishing.
resource "aws_sesv2_configuration_set" "this" {
  for_each = toset(var.smtp_regions)

  region                 = each.key
  configuration_set_name = var.configuration_set

  delivery_options {
    tls_policy = "REQUIRE" # a receiver without TLS gets a bounce, not a message in plain text
  }

  reputation_options {
    reputation_metrics_enabled = true
  }

  sending_options {
    sending_enabled = true
  }

  # An address that bounced for good or complained is not written to again: that is what keeps the reputation.
  suppression_options {
    suppressed_reasons = ["BOUNCE", "COMPLAINT"]
  }

  tags = var.tags
}
