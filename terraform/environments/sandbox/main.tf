terraform {
  required_version = ">= 1.11"

  backend "local" {}

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.20, < 7.0"
    }
  }
}

locals {
  root     = "${path.root}/../../.."
  settings = yamldecode(file("${local.root}/reconcile.yaml")).environments["sandbox"]
}

provider "aws" {
  region              = local.settings.region
  allowed_account_ids = [local.settings.account_id]

  default_tags {
    tags = { project = "ses-smtp-users", environment = "sandbox" }
  }
}

module "environment" {
  source = "../../modules/environment"

  environment           = "sandbox"
  settings              = local.settings
  pipeline              = yamldecode(file("${local.root}/reconciler/pipeline/pipeline.yaml"))
  code                  = "${local.root}/build/lambda.zip"
  github_subject_prefix = "repo:example/smtp-users" # replace with your repository
}

output "environment" {
  description = "DNS records, SMTP endpoints, roles and policies: every output of modules/environment."
  value       = module.environment
}
