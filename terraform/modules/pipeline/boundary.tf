# The most an SMTP user may ever do, whatever else is attached to it: send.
resource "aws_iam_policy" "boundary" {
  name        = local.names.boundary
  description = "Permissions boundary of every SMTP user of ${var.environment}"
  policy      = data.aws_iam_policy_document.boundary.json
}

data "aws_iam_policy_document" "boundary" {
  statement {
    sid       = "Send"
    actions   = ["ses:SendRawEmail"]
    resources = local.sending_resources
  }
}
