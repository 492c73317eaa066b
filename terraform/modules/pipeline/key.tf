# The KMS key that encrypts the credentials. Its policy does not let the account's IAM policies grant Encrypt or Decrypt: the
# functions encrypt, the named readers decrypt, and the account's administrators can manage the key but not use it.
resource "aws_kms_key" "credentials" {
  description             = "SMTP credentials of ${var.environment}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_protection ? 30 : 7
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "credentials" {
  name          = local.names.key_alias
  target_key_id = aws_kms_key.credentials.key_id
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:A key policy applies only to its own key; without an administrator it could never be changed again.
  #checkov:skip=CKV_AWS_111:As above.
  #checkov:skip=CKV_AWS_356:In a key policy "*" means the key itself.
  statement {
    sid = "Administer"
    actions = [
      "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
      "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus", "kms:ListAliases", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags",
      "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
      "kms:UpdateAlias", "kms:UpdateKeyDescription",
    ]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${var.account_id}:root"]
    }
  }

  statement {
    sid       = "Encrypt"
    actions   = ["kms:Encrypt"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [for role in aws_iam_role.function : role.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:environment"
      values   = [var.environment]
    }
  }

  dynamic "statement" {
    for_each = length(local.decrypting) > 0 ? [1] : []

    content {
      sid       = "ReadCredentials"
      actions   = ["kms:Decrypt"]
      resources = ["*"]

      principals {
        type        = "AWS"
        identifiers = local.decrypting
      }

      condition {
        test     = "StringEquals"
        variable = "kms:EncryptionContext:environment"
        values   = [var.environment]
      }
    }
  }
}
