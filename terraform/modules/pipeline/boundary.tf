# The upper limit of an SMTP user's permissions, whatever policies are attached to it: it can only send, and only as an address
# of the allowed domains. reconciler/core/policy.py builds the same document for the sandbox.
resource "aws_iam_policy" "boundary" {
  name        = local.names.boundary
  description = "Permissions boundary of every SMTP user of ${var.environment}"
  policy      = data.aws_iam_policy_document.boundary.json

  lifecycle {
    precondition {
      condition     = local.boundary_characters <= 6144
      error_message = "The permissions boundary has ${local.boundary_characters} characters, and IAM allows 6,144. It contains every domain and every SMTP region: use fewer or several environments."
    }
  }
}

locals {
  boundary_characters = length(replace(data.aws_iam_policy_document.boundary.json, "/\\s/", "")) # IAM does not count white space
}

data "aws_iam_policy_document" "boundary" {
  statement {
    sid       = "Send"
    actions   = ["ses:SendRawEmail"]
    resources = local.sending_resources

    condition {
      test     = "StringLike"
      variable = "ses:FromAddress"
      values   = [for domain in sort(var.allowed_domains) : "*@${domain}"]
    }
  }
}
