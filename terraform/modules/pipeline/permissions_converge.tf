# The permissions to converge a user: to bring IAM to the state that the record declares. All three functions have them,
# because all three run the same code for that.

# Only users under this environment's path and with its names. A user is created with our tag, and only a user with our tag is
# changed. Actions that could widen a user's permissions also require the permissions boundary.
data "aws_iam_policy_document" "converge_iam" {
  statement {
    sid       = "CreateUsers"
    actions   = ["iam:CreateUser"]
    resources = [local.smtp_users]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/${local.owner_tag}"
      values   = [local.owner]
    }
  }

  statement {
    sid = "OwnUsersWithBoundary"
    actions = [
      "iam:DeleteUserPolicy", "iam:DetachUserPolicy", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy",
    ]
    resources = [local.smtp_users]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.boundary.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.owner_tag}"
      values   = [local.owner]
    }
  }

  # The tag stays: it is written with the same value.
  statement {
    sid       = "TagOwnUsers"
    actions   = ["iam:TagUser"]
    resources = [local.smtp_users]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.owner_tag}"
      values   = [local.owner]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/${local.owner_tag}"
      values   = [local.owner]
    }
  }

  statement {
    sid = "OwnUsers"
    actions = [
      "iam:CreateAccessKey", "iam:DeactivateMFADevice", "iam:DeleteAccessKey", "iam:DeleteLoginProfile",
      "iam:DeleteServiceSpecificCredential", "iam:DeleteSigningCertificate", "iam:DeleteSSHPublicKey", "iam:DeleteUser",
      "iam:UpdateAccessKey",
    ]
    resources = [local.smtp_users]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.owner_tag}"
      values   = [local.owner]
    }
  }

  statement {
    sid = "ReadUsers"
    actions = [
      "iam:ListAccessKeys", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser", "iam:ListMFADevices",
      "iam:ListServiceSpecificCredentials", "iam:ListSigningCertificates", "iam:ListSSHPublicKeys",
      "iam:ListUserPolicies", "iam:GetLoginProfile",
    ]
    resources = [local.smtp_users]
  }

  # A device can have any name. IAM refuses to delete one that any user has: DeactivateMFADevice comes first.
  statement {
    sid       = "DeleteVirtualMfaDevices"
    actions   = ["iam:DeleteVirtualMFADevice"]
    resources = ["arn:${local.partition}:iam::${var.account_id}:mfa/*"]
  }

  # IAM evaluates GetUser for a missing user without a path, and for a user of the same name under another path with that
  # path. The wildcard covers both, so that neither is mistaken for AccessDenied. The action only reads.
  statement {
    sid       = "GetUsersByName"
    actions   = ["iam:GetUser"]
    resources = ["arn:${local.partition}:iam::${var.account_id}:user/*smtp-${var.environment}-*"]
  }
}

data "aws_iam_policy_document" "converge_data" {
  statement {
    sid       = "ReadAndWriteRecords"
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
