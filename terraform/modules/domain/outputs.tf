output "dns_records" {
  description = "DNS records by domain, as a list of {type, name, value, ttl, purpose}. Names have no trailing dot and values no quotes."
  value       = local.dns_records
}

output "zone_file" {
  description = "DNS records of all domains as text for a zone file, with the purpose of each record."
  value       = local.zone_file
}

output "mta_sts_policy" {
  description = "Text of the MTA-STS policy, by domain. The mx lines must list the domain's own receiving hosts."
  value       = local.mta_sts_policies
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
