# The upper limit of an SMTP user's permissions, whatever policies are attached to it: it can only send.
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
