data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  names     = { for kind, name in var.pipeline.names : kind => replace(name, "{env}", var.environment) }
  partition = data.aws_partition.current.partition
  # What an SMTP user may send through: any identity, and the one configuration set, in each region.
  # A sender that names another configuration set, to escape event publishing, is refused.
  sending_resources = flatten([
    for region in var.smtp_regions : [
      "arn:${local.partition}:ses:${region}:${var.account_id}:identity/*",
      "arn:${local.partition}:ses:${region}:${var.account_id}:configuration-set/${var.configuration_set}",
    ]
  ])
  smtp_users = "arn:${local.partition}:iam::${var.account_id}:user/smtp/${var.environment}/*"
}
