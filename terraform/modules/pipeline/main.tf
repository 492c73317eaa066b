data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  names     = { for kind, name in var.pipeline.names : kind => replace(name, "{env}", var.environment) }
  partition = data.aws_partition.current.partition
  # The resources that an SMTP user can send through: every identity and one configuration set, in each region. SES denies a
  # message that names another configuration set, so no sender can bypass event publishing.
  sending_resources = flatten([
    for region in var.smtp_regions : [
      "arn:${local.partition}:ses:${region}:${var.account_id}:identity/*",
      "arn:${local.partition}:ses:${region}:${var.account_id}:configuration-set/${var.configuration_set}",
    ]
  ])
  smtp_users = "arn:${local.partition}:iam::${var.account_id}:user/smtp/${var.environment}/smtp-${var.environment}-*"
  # Only this tag on a user proves that it is managed (reconciler/core/ownership.py).
  owner_tag = "managed-by"
  owner     = "ses-smtp-reconciler"
}
