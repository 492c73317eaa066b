output "dns_records" {
  description = "What Terraform knows of the DNS records, by `DOMAIN/REGION`. `reconcile dns --env ENV` prints and checks all records."
  value = {
    for key, identity in local.identities : key => {
      dkim_tokens = try(identity.dkim_signing_attributes[0].tokens, [])
      # No version of the provider up to 6.69 reports the zone that the DKIM records point to.
      dkim_zone = try(coalesce(identity.dkim_signing_attributes[0].signing_hosted_zone), "printed by reconcile dns")
      mail_from = try({
        name = aws_sesv2_email_identity_mail_from_attributes.this[key].mail_from_domain
        mx   = "10 feedback-smtp.${identity.region}.amazonses.com"
        txt  = "v=spf1 include:amazonses.com ~all"
      }, null)
    }
  }
}

output "smtp" {
  description = "SMTP endpoint by region: host, STARTTLS ports and implicit TLS ports."
  value = {
    for region in var.smtp_regions : region => {
      host           = "email-smtp.${region}.amazonaws.com"
      starttls_ports = [587, 2587, 25] # use 25 last: EC2 throttles it
      tls_ports      = [465, 2465]
    }
  }
}

output "configuration_set" {
  description = "Name of the configuration set, available after it exists in every region. Resources that depend on the set use this output."
  value       = var.configuration_set

  depends_on = [aws_sesv2_configuration_set.this, data.aws_sesv2_configuration_set.existing]
}

output "configuration_set_arns" {
  description = "ARN of the configuration set, by region."
  value       = { for region, set in local.configuration_sets : region => set.arn }
}

output "identity_arns" {
  description = "ARN of the identity, by domain and region."
  value = {
    for domain in var.domains : domain => {
      for region in var.smtp_regions : region => local.identities["${domain}/${region}"].arn
    }
  }
}

output "default_configuration_sets" {
  description = "Default configuration set of each existing identity, with keys such as example.com/eu-central-1; none where there is none."
  value       = local.default_configuration_sets
}
