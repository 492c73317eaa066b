# Everything in one environment. reconcile.yaml is the only source of account, region, table, domains and configuration set.
locals {
  smtp_regions = coalesce(var.settings.smtp_regions, [var.settings.region])
  pipeline     = yamldecode(file(coalesce(var.pipeline_file, "${path.module}/../../../reconciler/pipeline/pipeline.yaml")))
}

module "domain" {
  source = "../domain"

  domains                    = toset(var.settings.allowed_domains)
  existing_identities        = toset([for domain, kind in var.settings.identities : domain if kind == "existing"])
  smtp_regions               = local.smtp_regions
  configuration_set          = var.settings.configuration_set
  existing_configuration_set = var.settings.existing_configuration_set
  mail_from_label            = var.settings.mail_from_label
}

module "pipeline" {
  source = "../pipeline"

  environment                 = var.environment
  account_id                  = var.settings.account_id
  pipeline                    = local.pipeline
  table_name                  = var.settings.table
  existing_table              = var.settings.existing_table
  deletion_protection         = coalesce(var.settings.deletion_protection, !var.settings.local)
  configuration_set           = var.settings.configuration_set
  smtp_regions                = local.smtp_regions
  allowed_domains             = var.settings.allowed_domains
  allow_wildcards             = var.settings.allow_wildcards
  code                        = var.code
  credential_readers          = var.settings.credential_readers
  external_credential_readers = var.settings.external_credential_readers
  role_path                   = var.settings.role_path
  role_permissions_boundary   = var.settings.role_permissions_boundary
  iam_user_tags               = var.settings.iam_user_tags
  wide_reads                  = var.settings.wide_reads
  max_orphans                 = var.settings.limits.max_deletes
  max_orphan_percent          = var.settings.limits.max_delete_percent
  reserved_concurrency        = var.settings.reserved_concurrency
  log_retention_days          = var.settings.log_retention_days
}

module "monitoring" {
  source = "../monitoring"

  environment            = var.environment
  account_id             = var.settings.account_id
  home_region            = var.settings.region
  smtp_regions           = local.smtp_regions
  configuration_set      = module.domain.configuration_set
  functions              = module.pipeline.functions
  dead_letter_queue_name = module.pipeline.dead_letter_queue_name
  parking_queue_name     = module.pipeline.parking_queue_name
  table_name             = module.pipeline.table_name
  alarm_emails           = var.settings.alarm_emails
  thresholds             = var.settings.alarm_thresholds
  wide_reads             = var.settings.wide_reads
  topic_kms_keys         = var.settings.topic_kms_keys
  log_retention_days     = var.settings.log_retention_days
}

# Without a repository there are no roles for CI, and no OIDC provider.
module "ci" {
  source = "../ci"
  count  = var.settings.github_subject_prefix == null ? 0 : 1

  environment               = var.environment
  account_id                = var.settings.account_id
  subject_prefix            = var.settings.github_subject_prefix
  oidc_provider_arn         = try(coalesce(var.settings.oidc_provider_arn, var.oidc_provider_arn), null)
  table_arn                 = module.pipeline.table_arn
  table_key_policies        = module.pipeline.table_key_policies
  role_path                 = var.settings.role_path
  role_permissions_boundary = var.settings.role_permissions_boundary
  wide_reads                = var.settings.wide_reads
}

moved {
  from = module.ci
  to   = module.ci[0]
}
