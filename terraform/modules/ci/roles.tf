data "aws_partition" "current" {}

# Neither role can decrypt, and neither can write anything except the records of SMTP users.
locals {
  partition = data.aws_partition.current.partition

  roles = {
    plan = {
      description        = "Plans ${var.environment} and reports drift; reads records and IAM users of the environment"
      github_environment = coalesce(var.plan_environment, "${var.environment}-plan")
      actions            = ["dynamodb:Query"]
    }
    apply = {
      description        = "Reconciles ${var.environment}; reads and writes records"
      github_environment = var.environment
      actions            = ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    }
  }
}

resource "aws_iam_role" "ci" {
  for_each = local.roles

  name                 = "smtp-reconcile-${each.key}-${var.environment}"
  description          = each.value.description
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
  }
}

data "aws_iam_policy_document" "records" {
  for_each = local.roles

  statement {
    sid       = "RecordsOfSmtpUsers"
    actions   = each.value.actions
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
}

# `reconcile drift` compares records with IAM users. It runs with the plan role, which cannot write.
resource "aws_iam_role_policy" "drift" {
  name   = "drift"
  role   = aws_iam_role.ci["plan"].id
  policy = data.aws_iam_policy_document.drift.json
}

data "aws_iam_policy_document" "drift" {
  #checkov:skip=CKV_AWS_356:iam:ListUsers does not support resource-level permissions.
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
      "iam:GetUserPolicy", "iam:ListAccessKeys", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser",
      "iam:ListUserPolicies",
    ]
    resources = ["arn:${local.partition}:iam::${var.account_id}:user/smtp/${var.environment}/*"]
  }

  # This action does not support resource-level permissions. It returns names and paths, but no policies or keys.
  statement {
    sid       = "FindOrphans"
    actions   = ["iam:ListUsers"]
    resources = ["*"]
  }
}
