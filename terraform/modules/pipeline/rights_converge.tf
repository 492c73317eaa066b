# What it takes to make IAM what a row asks for. Every function may, because all end in the same place.

# Only users under our path, and what could widen them only while they carry the boundary.
data "aws_iam_policy_document" "converge_iam" {
  statement {
    sid = "ConfinedByBoundary"
    actions = [
      "iam:CreateUser", "iam:DeleteUserPolicy", "iam:DetachUserPolicy", "iam:PutUserPermissionsBoundary",
      "iam:PutUserPolicy",
    ]
    resources = [local.smtp_users]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary.arn]
    }
  }

  statement {
    sid = "OwnUsers"
    actions = [
      "iam:CreateAccessKey", "iam:DeactivateMFADevice", "iam:DeleteAccessKey", "iam:DeleteLoginProfile",
      "iam:DeleteServiceSpecificCredential", "iam:DeleteSigningCertificate", "iam:DeleteSSHPublicKey", "iam:DeleteUser",
      "iam:ListAccessKeys", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser", "iam:ListMFADevices",
      "iam:ListServiceSpecificCredentials", "iam:ListSigningCertificates", "iam:ListSSHPublicKeys",
      "iam:ListUserPolicies", "iam:TagUser", "iam:UpdateAccessKey",
    ]
    resources = [local.smtp_users]
  }

  # A user that is absent is judged without its path, and one of our name elsewhere with its own: looking must tell both
  # from a refusal. It reads only.
  statement {
    sid       = "Look"
    actions   = ["iam:GetUser"]
    resources = ["arn:${local.partition}:iam::${var.account_id}:user/*smtp-${var.environment}-*"]
  }

  # IAM knows only the group as this action's resource. It takes away, and never grants.
  statement {
    sid       = "LeaveGroups"
    actions   = ["iam:RemoveUserFromGroup"]
    resources = ["arn:${local.partition}:iam::${var.account_id}:group/*"]
  }
}

data "aws_iam_policy_document" "converge_data" {
  statement {
    sid       = "OwnRows"
    actions   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"]
    resources = [local.table_arn]

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
  }

  statement {
    sid       = "EncryptCredentials"
    actions   = ["kms:Encrypt"]
    resources = [aws_kms_key.credentials.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:environment"
      values   = [var.environment]
    }
  }
}
