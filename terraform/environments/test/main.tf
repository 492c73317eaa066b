terraform {
  required_version = ">= 1.11"

  backend "s3" {
    key          = "smtp-users/test.tfstate"
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
  settings = yamldecode(file("${local.root}/reconcile.yaml")).environments["test"]
}

provider "aws" {
  region              = local.settings.region
  allowed_account_ids = [local.settings.account_id]

  default_tags {
    tags = { project = "ses-smtp-users", environment = "test" }
  }
}

module "environment" {
  source = "../../modules/environment"

  environment           = "test"
  settings              = local.settings
  pipeline              = yamldecode(file("${local.root}/reconciler/pipeline/pipeline.yaml"))
  code                  = "${local.root}/build/lambda.zip"
  github_subject_prefix = "repo:example/smtp-users" # replace with your repository
  credential_readers    = ["arn:aws:iam::111122223333:role/mail-administrators"]
  alarm_emails          = ["platform@example.com"]
  dmarc_report_address  = "dmarc@example.com"
  tls_report_address    = "tls-reports@example.com"
}

output "environment" {
  description = "DNS records, SMTP endpoints, roles and policies: every output of modules/environment."
  value       = module.environment
}
