terraform {
  required_version = ">= 1.11"

  backend "s3" {
    key          = "smtp-users/prod.tfstate"
    encrypt      = true
    use_lockfile = true # `make init` sets bucket and region from reconcile.yaml
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.20, < 7.0"
    }
  }
}

locals {
  root     = "${path.root}/../../.."
  settings = yamldecode(file("${local.root}/reconcile.yaml")).environments["prod"]
}

provider "aws" {
  region              = local.settings.region
  allowed_account_ids = [local.settings.account_id]

  default_tags {
    tags = { project = "ses-smtp-users", environment = "prod" }
  }
}

module "environment" {
  source = "../../modules/environment"

  environment           = "prod"
  settings              = local.settings
  pipeline              = yamldecode(file("${local.root}/reconciler/pipeline/pipeline.yaml"))
  code                  = "${local.root}/build/lambda.zip"
  github_subject_prefix = "repo:example/smtp-users" # replace with your repository
  credential_readers    = ["arn:aws:iam::444455556666:role/mail-administrators"]
  alarm_emails          = ["platform@example.com"]
  dmarc_report_address  = "dmarc@example.com"
  tls_report_address    = "tls-reports@example.com"

  # The table `platform` already exists. This is its LatestStreamArn from `aws dynamodb describe-table`.
  existing_table_stream_arn = "arn:aws:dynamodb:eu-central-1:444455556666:table/platform/stream/2026-01-15T09:30:00.000"
}

output "environment" {
  description = "DNS records, SMTP endpoints, roles and policies: every output of modules/environment."
  value       = module.environment
}
