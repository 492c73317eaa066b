# The DNS records to publish, by domain. Names have no trailing dot and values no quotes; zone_file.tf adds them.
locals {
  ttl                 = 3600
  dmarc_report_domain = try(split("@", var.dmarc_report_address)[1], null)

  dkim_records = {
    for key, sender in local.senders : key => [
      for token in local.dkim[key].tokens : {
        type  = "CNAME"
        name  = "${token}._domainkey.${sender.domain}"
        value = "${token}.${local.dkim[key].zone}"
        ttl   = local.ttl
        purpose = join("", [
          "DKIM: verifies ${sender.domain} in ${sender.region} and signs its mail",
          local.dkim[key].zone_is_known ? "" : "; compare the target with get-email-identity (docs/dns.md)",
        ])
      }
    ]
  }

  mail_from_records = {
    for key, sender in local.senders : key => [
      {
        type    = "MX"
        name    = "${local.mail_from_labels[sender.region]}.${sender.domain}"
        value   = "10 feedback-smtp.${sender.region}.amazonses.com"
        ttl     = local.ttl
        purpose = "MAIL FROM: receives the bounces of ${sender.region}; must be the only MX record of this name"
      },
      {
        type    = "TXT"
        name    = "${local.mail_from_labels[sender.region]}.${sender.domain}"
        value   = "v=spf1 include:amazonses.com ~all"
        ttl     = local.ttl
        purpose = "SPF of MAIL FROM: makes DMARC pass through SPF"
      },
    ]
  }

  domain_records = {
    for domain in var.domains : domain => concat(
      [
        {
          type    = "TXT"
          name    = domain
          value   = "v=spf1 include:amazonses.com ~all"
          ttl     = local.ttl
          purpose = "SPF of the domain itself, recommended: a name can have only one SPF record, so merge it with an existing one"
        },
        {
          type = "TXT"
          name = "_dmarc.${domain}"
          value = join("; ", compact([
            "v=DMARC1",
            "p=${var.dmarc_policy}",
            "adkim=r", # relaxed alignment: a signature or MAIL FROM of a subdomain is valid for the domain
            "aspf=r",
            var.dmarc_report_address == null ? "" : "rua=mailto:${var.dmarc_report_address}",
          ]))
          ttl     = local.ttl
          purpose = "DMARC: what receivers do with mail that fails; start with none, then quarantine, then reject"
        },
      ],
      # RFC 7489, 7.1: receivers send reports to another organization's domain only if that domain publishes its consent.
      [
        for report_domain in local.dmarc_report_domain == null ? [] : [local.dmarc_report_domain] : {
          type    = "TXT"
          name    = "${domain}._report._dmarc.${report_domain}"
          value   = "v=DMARC1"
          ttl     = local.ttl
          purpose = "Consent to receive DMARC reports about ${domain}; publish it in the zone of ${report_domain}"
        } if !endswith(".${domain}", ".${report_domain}") && !endswith(".${report_domain}", ".${domain}")
      ],
      [
        {
          type    = "TXT"
          name    = "_mta-sts.${domain}"
          value   = "v=STSv1; id=${local.mta_sts_ids[domain]}"
          ttl     = local.ttl
          purpose = "MTA-STS, for mail the domain receives (not for sending): publish it after its policy file is available"
        },
      ],
      [
        for address in var.tls_report_address == null ? [] : [var.tls_report_address] : {
          type    = "TXT"
          name    = "_smtp._tls.${domain}"
          value   = "v=TLSRPTv1; rua=mailto:${address}"
          ttl     = local.ttl
          purpose = "TLS-RPT, for mail the domain receives (not for sending): reports of failed TLS connections"
        }
      ],
    )
  }

  dns_records = {
    for domain in var.domains : domain => concat(
      flatten([for region in var.smtp_regions : local.dkim_records["${domain}/${region}"]]),
      flatten([for region in var.smtp_regions : local.mail_from_records["${domain}/${region}"]]),
      local.domain_records[domain],
    )
  }
}
