locals {
  # Where the provider does not report the zone of an identity (6.25 does not), AWS's table of DKIM domains is used:
  # https://docs.aws.amazon.com/general/latest/gr/ses.html#ses_dkim_domains. It can age, so what comes from it says so.
  dkim_default_zone = "dkim.amazonses.com"
  dkim_regional_zones = {
    for region in [
      "af-south-1", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-5", "ca-west-1", "eu-central-2",
      "eu-south-1", "il-central-1", "me-central-1", "us-gov-east-1",
    ] : region => "dkim.${region}.amazonses.com"
  }

  # try, because the attribute is in the provider's schema only from some version on. No functions on the block as a whole:
  # it can hold a private key, so they would make the tokens sensitive too.
  dkim_reported_zones = {
    for key, identity in aws_sesv2_email_identity.this :
    key => try(coalesce(identity.dkim_signing_attributes[0].signing_hosted_zone), null)
  }

  dkim = {
    for key, sender in local.senders : key => {
      tokens = aws_sesv2_email_identity.this[key].dkim_signing_attributes[0].tokens
      zone = coalesce(
        local.dkim_reported_zones[key],
        lookup(var.dkim_signing_zones, sender.region, null),
        lookup(local.dkim_regional_zones, sender.region, null),
        local.dkim_default_zone,
      )
      zone_is_known = local.dkim_reported_zones[key] != null || contains(keys(var.dkim_signing_zones), sender.region)
    }
  }
}
