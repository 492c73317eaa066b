# The configuration set of every message. SMTP users can send through no other set, so they cannot bypass event publishing.
resource "aws_sesv2_configuration_set" "this" {
  for_each = toset(var.existing_configuration_set ? [] : var.smtp_regions)

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
}

# A set that exists already. It must exist in every region; its settings stay as they are.
data "aws_sesv2_configuration_set" "existing" {
  for_each = toset(var.existing_configuration_set ? var.smtp_regions : [])

  region                 = each.key
  configuration_set_name = var.configuration_set
}

check "existing_configuration_set" {
  assert {
    condition = alltrue([
      for set in data.aws_sesv2_configuration_set.existing : try(set.sending_options[0].sending_enabled, true)
    ])
    error_message = "Sending is disabled in configuration set ${var.configuration_set}: SES rejects every message of the SMTP users."
  }

  assert {
    condition = alltrue([
      for set in data.aws_sesv2_configuration_set.existing : try(set.reputation_options[0].reputation_metrics_enabled, false)
    ])
    error_message = "Configuration set ${var.configuration_set} has no reputation metrics: the alarms of bounces and complaints receive no data. To enable them: aws sesv2 put-configuration-set-reputation-options --configuration-set-name ${var.configuration_set} --reputation-metrics-enabled"
  }
}
