# MTA-STS (RFC 8461) protects mail that a domain receives: sending servers must use TLS with a valid certificate, and only
# the listed hosts. It has no effect on mail sent through SES. The format has no comments, so the placeholder is a line that
# no sender accepts as a host.
locals {
  mta_sts_policies = {
    for domain in var.domains : domain => join("\n", concat(
      ["version: STSv1", "mode: ${var.mta_sts_mode}"],
      [
        for host in lookup(var.receiving_hosts, domain, [
          "<replace: one mx line for each host in the MX records of ${domain}>",
        ]) : "mx: ${host}"
      ],
      ["max_age: 604800", ""],
    ))
  }

  # Senders fetch the policy again when its id changes, so the id is derived from the text.
  mta_sts_ids = { for domain, policy in local.mta_sts_policies : domain => substr(sha256(policy), 0, 16) }
}
