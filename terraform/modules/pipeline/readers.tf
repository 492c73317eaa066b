# The policy for credential readers. Attach it to the roles in credential_readers: the key policy lets only them decrypt, and
# this policy lets them read the record.
resource "aws_iam_policy" "reader" {
  name        = local.names.reader
  description = "Read the records of the SMTP users of ${var.environment}"
  policy      = data.aws_iam_policy_document.reader.json
}

data "aws_iam_policy_document" "reader" {
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
