data "aws_partition" "current" {}

# Neither role can decrypt, and neither can write anything except the records of SMTP users.
locals {
  partition = data.aws_partition.current.partition

  roles = {
    plan = {
      description        = "Plans ${var.environment} and reports drift; reads records and IAM users of the environment"
      github_environment = coalesce(var.plan_environment, "${var.environment}-plan")
      reads              = ["dynamodb:Query"]
    }
    apply = {
      description        = "Reconciles ${var.environment}; reads and writes records"
      github_environment = var.environment
      reads              = ["dynamodb:BatchGetItem", "dynamodb:Query"]
    }
  }

  # The attributes of records that `reconcile apply` writes or uses in a condition (reconciler/aws/records.py), and those of what
  # was applied last (reconciler/aws/applied_state.py). A revocation and the credentials are not among them. PutItem would
  # replace a whole record, so records are created with UpdateItem.
  applied_attributes = [
    "PK", "SK", "entity_type", "status", "revision", "spec_hash", "managed_by", "manifest", "commit", "pull_request", "approver", "actor",
    "ci_actor", "run", "correlation_id", "created_at", "requested_at", "failure",
    "description", "owner", "allowed_from_addresses", "enabled", "expires", "allowed_source_ips", "credential", "rotation",
    "applied_at", "counts", "settings", "revoked_users", "version",
  ]
}

resource "aws_iam_role" "ci" {
  for_each = local.roles

  name                 = "smtp-reconcile-${each.key}-${var.environment}"
  description          = each.value.description
  path                 = var.role_path
  permissions_boundary = var.role_permissions_boundary
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "ci" {
  for_each = local.roles

  name   = "records"
  role   = aws_iam_role.ci[each.key].id
  policy = data.aws_iam_policy_document.records[each.key].json
}

data "aws_iam_policy_document" "trust" {
  for_each = local.roles

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["${var.subject_prefix}:environment:${each.value.github_environment}"]
    }

    # Only workflows of this branch, whatever the settings of the GitHub environment are: a pull request runs its own
    # workflows for refs/pull/N/merge (docs/decisions/0011-plans-of-pull-requests.md).
    # https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:ref"
      values   = ["refs/heads/main"]
    }
  }
}

data "aws_iam_policy_document" "records" {
  for_each = local.roles

  source_policy_documents = var.table_key_policies

  statement {
    sid       = "ReadRecords"
    actions   = each.value.reads
    resources = [var.table_arn]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = ["SMTP_USER"]
    }

    # ForAllValues is also true for a request without any key, such as a Scan.
    condition {
      test     = "Null"
      variable = "dynamodb:LeadingKeys"
      values   = ["false"]
    }
  }

  dynamic "statement" {
    for_each = each.key == "apply" ? [local.applied_attributes] : []

    content {
      sid       = "WriteDeclarations"
      actions   = ["dynamodb:UpdateItem"]
      resources = [var.table_arn]

      condition {
        test     = "ForAllValues:StringEquals"
        variable = "dynamodb:LeadingKeys"
        values   = ["SMTP_USER"]
      }

      condition {
        test     = "Null"
        variable = "dynamodb:LeadingKeys"
        values   = ["false"]
      }

      condition {
        test     = "ForAllValues:StringEquals"
        variable = "dynamodb:Attributes"
        values   = statement.value
      }

      condition {
        test     = "Null"
        variable = "dynamodb:Attributes"
        values   = ["false"]
      }
    }
  }
}

# `reconcile drift` compares records with IAM users. It runs with the plan role, which cannot write.
resource "aws_iam_role_policy" "drift" {
  name   = "drift"
  role   = aws_iam_role.ci["plan"].id
  policy = data.aws_iam_policy_document.drift.json
}

data "aws_iam_policy_document" "drift" {
  #checkov:skip=CKV_AWS_356:iam:ListUsers and iam:GetAccountAuthorizationDetails do not support resource-level permissions.
  # IAM evaluates GetUser for a missing user without a path, and for a user of the same name under another path with that
  # path. The wildcard covers both.
  statement {
    sid       = "GetUsersByName"
    actions   = ["iam:GetUser"]
    resources = ["arn:${local.partition}:iam::${var.account_id}:user/*smtp-${var.environment}-*"]
  }

  statement {
    sid = "ReadOwnUsers"
    actions = [
      "iam:GetAccessKeyLastUsed", "iam:GetLoginProfile", "iam:GetUserPolicy", "iam:ListAccessKeys",
      "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser", "iam:ListMFADevices", "iam:ListServiceSpecificCredentials",
      "iam:ListSigningCertificates", "iam:ListSSHPublicKeys", "iam:ListUserPolicies",
    ]
    resources = ["arn:${local.partition}:iam::${var.account_id}:user/smtp/${var.environment}/smtp-${var.environment}-*"]
  }

  # This action does not support resource-level permissions. It returns names and paths, but no policies or keys.
  statement {
    sid       = "FindOrphans"
    actions   = ["iam:ListUsers"]
    resources = ["*"]
  }

  # This action neither. It returns all IAM users of the account with their policies: docs/decisions/0009-wide-reads.md.
  dynamic "statement" {
    for_each = var.wide_reads ? [1] : []

    content {
      sid       = "ReadAllUsers"
      actions   = ["iam:GetAccountAuthorizationDetails"]
      resources = ["*"]
    }
  }

  # `reconcile dns` and `status`. GetAccount does not support resource-level permissions.
  statement {
    sid       = "ReadSes"
    actions   = ["ses:GetAccount", "ses:GetEmailIdentity"]
    resources = ["*"]
  }
}
