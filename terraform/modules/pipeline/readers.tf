# For whoever may read credentials: attach it to the roles that credential_readers names. The key's policy lets only them
# decrypt; this lets them fetch the row.
resource "aws_iam_policy" "reader" {
  name        = local.names.reader
  description = "Read the rows of SMTP users of ${var.environment}"
  policy      = data.aws_iam_policy_document.reader.json
}

data "aws_iam_policy_document" "reader" {
  statement {
    sid       = "RowsOfSmtpUsers"
    actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
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
