# Credential readers. The key policy lets only them decrypt; this policy lets them read the record. Attach it to the roles in
# credential_readers.
resource "aws_iam_policy" "reader" {
  name        = local.names.reader
  description = "Read the records of the SMTP users of ${var.environment}"
  policy      = data.aws_iam_policy_document.reader.json
}

data "aws_iam_policy_document" "reader" {
  source_policy_documents = local.table_key

  statement {
    sid       = "ReadRecords"
    actions   = ["dynamodb:BatchGetItem", "dynamodb:Query"]
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
}

# KMS refuses a key policy that names a role which does not exist, after minutes and with half of the environment created.
# A missing role therefore ends the plan. The path of a role is part of its ARN.
data "aws_iam_role" "reader" {
  for_each = toset([for arn in var.credential_readers : arn if strcontains(arn, ":role/")])

  name = reverse(split("/", each.key))[0]

  lifecycle {
    postcondition {
      condition     = self.arn == each.key
      error_message = "credential_readers contains ${each.key}, but the ARN of this role is ${self.arn}."
    }
  }
}

# Readers of other accounts assume this role. `reconcile credentials` then works as for every other reader, with one set of
# credentials for the record and the key; resource policies of a table and of a key would need an ARN in every call.
resource "aws_iam_role" "external_reader" {
  count = length(var.external_credential_readers) > 0 ? 1 : 0

  name                 = local.names.reader
  description          = "Readers of credentials of ${var.environment} in other accounts"
  path                 = var.role_path
  permissions_boundary = var.role_permissions_boundary
  assume_role_policy   = data.aws_iam_policy_document.external_reader_trust.json
  max_session_duration = 3600
}

resource "aws_iam_role_policy_attachment" "external_reader" {
  count = length(aws_iam_role.external_reader)

  role       = aws_iam_role.external_reader[0].name
  policy_arn = aws_iam_policy.reader.arn
}

data "aws_iam_policy_document" "external_reader_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = var.external_credential_readers
    }
  }
}

locals {
  decrypting = concat(var.credential_readers, aws_iam_role.external_reader[*].arn)
}
