# The DNS records that each domain needs, with the tokens of its identity.
# Older provider versions ignore signing_hosted_zone here. news.example.com is an identity without that attribute.
mock_provider "aws" {
  mock_resource "aws_sesv2_email_identity" {
    defaults = {
      dkim_signing_attributes = { tokens = ["n1", "n2", "n3"], signing_hosted_zone = "" }
    }
  }
}

override_resource {
  target = aws_sesv2_email_identity.this["example.com/eu-central-1"]
  values = { dkim_signing_attributes = { tokens = ["c1", "c2", "c3"], signing_hosted_zone = "dkim.amazonses.com" } }
}

override_resource {
  target = aws_sesv2_email_identity.this["example.com/eu-west-1"]
  values = { dkim_signing_attributes = { tokens = ["w1", "w2", "w3"], signing_hosted_zone = "dkim.amazonses.com" } }
}

variables {
  environment          = "test"
  domains              = ["example.com", "news.example.com"]
  smtp_regions         = ["eu-central-1", "eu-west-1"]
  configuration_set    = "smtp-test"
  dmarc_report_address = "dmarc@example.com"
  tls_report_address   = "tls@example.com"
}

run "the_records_of_a_domain_are_complete" {
  assert {
    condition = [
      for record in output.dns_records["example.com"] : "${record.type} ${record.name} ${record.value}"
      if !startswith(record.name, "_mta-sts.")
      ] == [
      "CNAME c1._domainkey.example.com c1.dkim.amazonses.com",
      "CNAME c2._domainkey.example.com c2.dkim.amazonses.com",
      "CNAME c3._domainkey.example.com c3.dkim.amazonses.com",
      "CNAME w1._domainkey.example.com w1.dkim.amazonses.com",
      "CNAME w2._domainkey.example.com w2.dkim.amazonses.com",
      "CNAME w3._domainkey.example.com w3.dkim.amazonses.com",
      "MX bounce.example.com 10 feedback-smtp.eu-central-1.amazonses.com",
      "TXT bounce.example.com v=spf1 include:amazonses.com ~all",
      "MX bounce-eu-west-1.example.com 10 feedback-smtp.eu-west-1.amazonses.com",
      "TXT bounce-eu-west-1.example.com v=spf1 include:amazonses.com ~all",
      "TXT example.com v=spf1 include:amazonses.com ~all",
      "TXT _dmarc.example.com v=DMARC1; p=none; adkim=r; aspf=r; rua=mailto:dmarc@example.com",
      "TXT _smtp._tls.example.com v=TLSRPTv1; rua=mailto:tls@example.com",
    ]
    error_message = "A record is missing, unexpected or has a wrong value."
  }

  assert {
    condition = alltrue(flatten([
      for domain, records in output.dns_records : [
        for record in records :
        endswith(record.name, domain) && !endswith(record.name, ".") && record.ttl > 0 && length(record.purpose) > 0
      ]
    ]))
    error_message = "Every record must be in its domain and state its purpose."
  }

  assert {
    condition     = toset(keys(output.dns_records)) == var.domains && toset(keys(output.mta_sts_policy)) == var.domains
    error_message = "Every domain must have its records and its MTA-STS policy."
  }
}

run "each_mail_from_subdomain_has_one_mx_record" {
  assert {
    condition = alltrue([
      for count in values({
        for record in flatten(values(output.dns_records)) : record.name => record.value... if record.type == "MX"
      }) : length(count) == 1
    ])
    error_message = "SES rejects a MAIL FROM subdomain with two MX records."
  }

  assert {
    condition = toset([for record in flatten(values(output.dns_records)) : record.name if record.type == "MX"]) == toset([
      for sender in aws_sesv2_email_identity_mail_from_attributes.this : sender.mail_from_domain
    ])
    error_message = "The MX records must be those of the MAIL FROM subdomains that are configured in SES."
  }
}

run "no_name_has_two_records_of_a_kind_that_must_be_unique" {
  assert {
    condition = alltrue([
      for values in values({
        for record in flatten(values(output.dns_records)) :
        "${record.name} ${split(";", split(" ", record.value)[0])[0]}" => record.value... if record.type == "TXT"
      }) : length(values) == 1
    ])
    error_message = "Two SPF, DMARC, MTA-STS or TLS-RPT records of the same name are both invalid."
  }
}

run "the_zone_file_contains_every_record_and_can_be_pasted" {
  assert {
    condition = toset([
      for line in split("\n", output.zone_file) : line if line != "" && !startswith(line, ";")
      ]) == toset([
      for record in flatten(values(output.dns_records)) : (
        record.type == "TXT"
        ? "${record.name}. ${record.ttl} IN TXT \"${record.value}\""
        : "${record.name}. ${record.ttl} IN ${record.type} ${record.value}."
      )
    ])
    error_message = "Names and targets must end with a dot, text must be quoted, and no record may be missing."
  }

  assert {
    condition     = alltrue([for record in flatten(values(output.dns_records)) : length(record.value) <= 255])
    error_message = "A string in a TXT record can have at most 255 characters."
  }

  assert {
    condition     = alltrue([for record in flatten(values(output.dns_records)) : strcontains(output.zone_file, "; ${record.purpose}\n")])
    error_message = "The zone file must state the purpose of each record."
  }
}

run "records_that_protect_received_mail_state_so" {
  assert {
    condition = alltrue([
      for record in flatten(values(output.dns_records)) : strcontains(record.purpose, "for mail the domain receives")
      if startswith(record.name, "_mta-sts.") || startswith(record.name, "_smtp._tls.")
    ])
    error_message = "MTA-STS and TLS-RPT have no effect on sent mail, and their purpose must state so."
  }

  assert {
    condition = alltrue([
      for domain, policy in output.mta_sts_policy :
      strcontains(policy, "mx: <replace: one mx line for each host") && !strcontains(policy, "amazonses")
    ])
    error_message = "Without receiving hosts the policy must be a template that no sender accepts."
  }
}

run "a_dkim_target_from_the_built_in_table_must_be_verified" {
  assert {
    condition = alltrue([
      for record in output.dns_records["news.example.com"] : strcontains(record.purpose, "compare the target")
      if record.type == "CNAME"
    ])
    error_message = "The record must ask the reader to verify a target that the provider did not report."
  }
}

run "a_region_with_its_own_dkim_zone_uses_it" {
  variables {
    domains            = ["example.net"]
    smtp_regions       = ["eu-south-1", "eu-north-9"]
    dkim_signing_zones = { eu-north-9 = "dkim.eu-north-9.amazonses.com" }
  }

  assert {
    condition = toset([
      for record in output.dns_records["example.net"] : trimprefix(record.value, split(".", record.value)[0])
      if record.type == "CNAME"
    ]) == toset([".dkim.eu-south-1.amazonses.com", ".dkim.eu-north-9.amazonses.com"])
    error_message = "A region with its own DKIM zone must not use dkim.amazonses.com."
  }

  assert {
    condition = alltrue([
      for record in output.dns_records["example.net"] : !strcontains(record.purpose, "compare the target")
      if record.type == "CNAME" && endswith(record.value, ".eu-north-9.amazonses.com")
    ])
    error_message = "A zone from dkim_signing_zones needs no verification."
  }
}

run "reports_to_another_organization_need_its_consent" {
  variables {
    dmarc_report_address = "reports@example.net"
    dmarc_policy         = "reject"
  }

  assert {
    condition = toset([
      for record in flatten(values(output.dns_records)) : "${record.name} ${record.value}"
      if endswith(record.name, "._report._dmarc.example.net")
      ]) == toset([
      "example.com._report._dmarc.example.net v=DMARC1", "news.example.com._report._dmarc.example.net v=DMARC1",
    ])
    error_message = "Without this record, receivers send no reports to example.net."
  }

  assert {
    condition = alltrue([
      for domain, records in output.dns_records : contains(records[*].value, "v=DMARC1; p=reject; adkim=r; aspf=r; rua=mailto:reports@example.net")
    ])
    error_message = "The record must contain the policy from dmarc_policy."
  }
}

run "without_report_addresses_no_reports_are_requested" {
  variables {
    dmarc_report_address = null
    tls_report_address   = null
  }

  assert {
    condition = alltrue([
      for record in flatten(values(output.dns_records)) :
      !strcontains(record.value, "rua=") && !startswith(record.name, "_smtp._tls.")
    ])
    error_message = "Without an address, no record may request reports."
  }
}

run "a_changed_policy_gets_a_new_id" {
  variables {
    mta_sts_mode    = "enforce"
    receiving_hosts = { "example.com" = ["mx1.example.com", "mx2.example.com"] }
  }

  assert {
    condition     = output.mta_sts_policy["example.com"] == "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: mx2.example.com\nmax_age: 604800\n"
    error_message = "With receiving hosts the policy must be complete."
  }

  assert {
    condition = (
      contains(output.dns_records["example.com"][*].value, "v=STSv1; id=${substr(sha256(output.mta_sts_policy["example.com"]), 0, 16)}") &&
      one([for record in output.dns_records["example.com"] : record.value if startswith(record.name, "_mta-sts.")]) !=
      one([for record in output.dns_records["news.example.com"] : record.value if startswith(record.name, "_mta-sts.")])
    )
    error_message = "The id must change with the policy: senders keep the old policy until then."
  }
}

run "the_other_outputs_cover_every_region" {
  assert {
    condition = output.smtp == {
      eu-central-1 = { host = "email-smtp.eu-central-1.amazonaws.com", starttls_ports = [587, 2587, 25], tls_ports = [465, 2465] }
      eu-west-1    = { host = "email-smtp.eu-west-1.amazonaws.com", starttls_ports = [587, 2587, 25], tls_ports = [465, 2465] }
    }
    error_message = "The output must contain the host and ports of each region, separated by TLS mode."
  }

  assert {
    condition = (
      toset(keys(output.configuration_set_arns)) == toset(var.smtp_regions) &&
      toset(keys(output.identity_arns)) == var.domains &&
      alltrue([for arns in values(output.identity_arns) : toset(keys(arns)) == toset(var.smtp_regions)])
    )
    error_message = "The outputs must contain the ARNs of each region."
  }
}
