terraform {
  required_version = ">= 1.11"

  backend "local" {}

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.69, < 7.0"
    }
  }
}

variable "oidc_provider_arn" {
  description = "ARN of an OIDC provider for GitHub that the account already has. `make plan` looks for it."
  type        = string
  default     = null
}

locals {
  root     = "${path.root}/../../.."
  settings = yamldecode(file("${local.root}/reconcile.yaml")).environments["sandbox"]
}

provider "aws" {
  region              = local.settings.region
  allowed_account_ids = [local.settings.account_id]

  default_tags {
    tags = merge(try(local.settings.tags, {}), { project = "ses-smtp-users", environment = "sandbox" })
  }
}

# What your organisation decides is in reconcile.yaml; nothing needs to be changed here.
module "environment" {
  source = "../../modules/environment"

  environment       = "sandbox"
  settings          = local.settings
  code              = "${local.root}/build/lambda.zip"
  oidc_provider_arn = var.oidc_provider_arn
}

output "environment" {
  description = "SMTP endpoints, roles, policies and topics: every output of modules/environment."
  value       = module.environment
}
