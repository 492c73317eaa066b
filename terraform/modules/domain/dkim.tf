locals {
  # Fallback where the provider does not report the zone of an identity (no version up to 6.69 does). It is AWS's table of
  # DKIM domains, https://docs.aws.amazon.com/general/latest/gr/ses.html#ses_dkim_domains. The table can become outdated,
  # so records that use it ask the reader to verify the target.
  dkim_default_zone = "dkim.amazonses.com"
  dkim_regional_zones = {
    for region in [
      "af-south-1", "ap-northeast-3", "ap-south-2", "ap-southeast-3", "ap-southeast-5", "ca-west-1", "eu-central-2",
      "eu-south-1", "il-central-1", "me-central-1", "us-gov-east-1",
    ] : region => "dkim.${region}.amazonses.com"
  }

  # try() is needed because older provider versions do not have the attribute. Do not apply functions to the whole block: it
  # can contain a private key, so the result, tokens included, would become sensitive.
  dkim_reported_zones = {
    for key, identity in local.identities :
    key => try(coalesce(identity.dkim_signing_attributes[0].signing_hosted_zone), null)
  }

  dkim = {
    for key, sender in local.senders : key => {
      tokens = try(local.identities[key].dkim_signing_attributes[0].tokens, [])
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
