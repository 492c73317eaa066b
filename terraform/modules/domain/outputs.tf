output "dns_records" {
  description = "Domain to a list of {type, name, value, ttl, purpose}. Names without trailing dot, values without quotes."
  value       = local.dns_records
}

output "zone_file" {
  description = "The same records as text for a zone file, all domains, with what each is for."
  value       = local.zone_file
}

output "mta_sts_policy" {
  description = "Domain to the text of its MTA-STS policy. The mx lines must be the domain's own receiving hosts."
  value       = local.mta_sts_policies
}

output "smtp" {
  description = "Region to the SMTP endpoint: host, ports that speak STARTTLS and ports that speak TLS from the first byte."
  value = {
    for region in var.smtp_regions : region => {
      host           = "email-smtp.${region}.amazonaws.com"
      starttls_ports = [587, 2587, 25] # EC2 throttles 25: the last choice
      tls_ports      = [465, 2465]
    }
  }
}

output "configuration_set" {
  description = "Name of the configuration set, known once it exists in every region. For what is attached to it."
  value       = var.configuration_set

  depends_on = [aws_sesv2_configuration_set.this]
}

output "configuration_set_arns" {
  description = "Region to the ARN of its configuration set."
  value       = { for region, set in aws_sesv2_configuration_set.this : region => set.arn }
}

output "identity_arns" {
  description = "Domain to region to the ARN of the identity."
  value = {
    for domain in var.domains : domain => {
      for region in var.smtp_regions : region => aws_sesv2_email_identity.this["${domain}/${region}"].arn
    }
  }
}
