locals {
  # Names are absolute, with a trailing dot, so that the text has the same meaning under every $ORIGIN.
  zone_lines = {
    for domain, records in local.dns_records : domain => flatten([
      for index, record in records : concat(
        index > 0 && try(records[index - 1].purpose, "") == record.purpose ? [] : ["; ${record.purpose}"],
        [join(" ", [
          "${record.name}.", record.ttl, "IN", record.type,
          record.type == "TXT" ? "\"${record.value}\"" : "${record.value}.",
        ])],
      )
    ])
  }

  zone_file = join("\n", flatten([
    "; DNS records to publish for the SMTP users of ${var.environment}. docs/dns.md explains each record.",
    [for domain in sort(var.domains) : concat(["", "; ==== ${domain}"], local.zone_lines[domain])],
    "",
  ]))
}
