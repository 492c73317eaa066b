locals {
  home_region = coalesce(var.home_region, var.smtp_regions[0])
  regions     = distinct(concat([local.home_region], var.smtp_regions))

  name = "smtp-${var.environment}"

  partitions = {
    for region in local.regions : region => (
      startswith(region, "us-gov-") ? "aws-us-gov" : startswith(region, "cn-") ? "aws-cn" : "aws"
    )
  }

  roles = { for role, function in var.functions : role => replace(role, "_", "-") }
}
