data "aws_partition" "current" {}

# Neither role may decrypt anything, and neither may write anything but rows of SMTP users.
locals {
  partition = data.aws_partition.current.partition

  roles = {
    plan = {
      description        = "Plans ${var.environment} and reports drift: reads the rows and our IAM users"
      github_environment = coalesce(var.plan_environment, "${var.environment}-plan")
      actions            = ["dynamodb:Query"]
    }
    apply = {
      description        = "Reconciles ${var.environment}: reads and writes the rows"
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

  name   = "rows"
  role   = aws_iam_role.ci[each.key].id
  policy = data.aws_iam_policy_document.rows[each.key].json
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

data "aws_iam_policy_document" "rows" {
  for_each = local.roles

  statement {
    sid       = "RowsOfSmtpUsers"
    actions   = each.value.actions
    resources = [var.table_arn]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = ["SMTP_USER"]
    }

    # ForAllValues holds for a request that names no key at all.
    condition {
      test     = "Null"
      variable = "dynamodb:LeadingKeys"
      values   = ["false"]
    }
  }
}

# `reconcile drift` compares the rows with IAM. It runs with the plan role, which writes nothing.
resource "aws_iam_role_policy" "drift" {
  name   = "drift"
  role   = aws_iam_role.ci["plan"].id
  policy = data.aws_iam_policy_document.drift.json
}

data "aws_iam_policy_document" "drift" {
  #checkov:skip=CKV_AWS_356:iam:ListUsers knows no resources.
  # A user that is absent is judged without its path, and one of our name elsewhere with its own.
  statement {
    sid       = "Look"
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

  # It knows no resources. It tells names and paths, and nothing about a user.
  statement {
    sid       = "FindOrphans"
    actions   = ["iam:ListUsers"]
    resources = ["*"]
  }
}
