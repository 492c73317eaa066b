# The permissions to converge a user: to bring IAM to the state that the record declares. All three functions have them,
# because all three run the same code for that.

# Only users under this environment's path. Actions that could widen a user's permissions require the permissions boundary.
data "aws_iam_policy_document" "converge_iam" {
  statement {
    sid = "UsersWithBoundary"
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

  # IAM evaluates GetUser for a missing user without a path, and for a user of the same name under another path with that
  # path. The wildcard covers both, so that neither is mistaken for AccessDenied. The action only reads.
  statement {
    sid       = "GetUsersByName"
    actions   = ["iam:GetUser"]
    resources = ["arn:${local.partition}:iam::${var.account_id}:user/*smtp-${var.environment}-*"]
  }

  # The resource of this action is the group, not the user. The action removes permissions and never grants any.
  statement {
    sid       = "RemoveFromGroups"
    actions   = ["iam:RemoveUserFromGroup"]
    resources = ["arn:${local.partition}:iam::${var.account_id}:group/*"]
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
