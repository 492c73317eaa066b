# For people on call: `reconcile status`, `retry`, `revoke`, `resume` and `drift`, and work on the two queues by hand. What they
# ask for stands in the row and the functions do it: nothing here writes to IAM or decrypts.
resource "aws_iam_policy" "operator" {
  name        = local.names.operator
  description = "On call for the SMTP users of ${var.environment}"
  policy      = data.aws_iam_policy_document.operator.json
}

data "aws_iam_policy_document" "operator" {
  #checkov:skip=CKV_AWS_356:iam:ListUsers knows no resources.
  statement {
    sid       = "RowsOfSmtpUsers"
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

  # What `retry`, `revoke` and `resume` name in an update (reconciler/aws/records.py): a request, and nothing of the grant.
  statement {
    sid       = "AskInRows"
    actions   = ["dynamodb:UpdateItem"]
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

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:Attributes"
      values = [
        "PK", "SK", "actor", "correlation_id", "failure", "requested_at", "revision", "revoked", "status",
      ]
    }

    condition {
      test     = "Null"
      variable = "dynamodb:Attributes"
      values   = ["false"]
    }
  }

  # What `reconcile drift` reads, as CI's plan role does. A user that is absent is judged without its path, and one of our
  # name elsewhere with its own.
  statement {
    sid       = "Look"
    actions   = ["iam:GetUser"]
    resources = ["arn:${local.partition}:iam::${var.account_id}:user/*smtp-${var.environment}-*"]
  }

  statement {
    sid = "ReadOwnUsers"
    actions = [
      "iam:GetUserPolicy", "iam:ListAccessKeys", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser",
      "iam:ListUserPolicies",
    ]
    resources = [local.smtp_users]
  }

  # It knows no resources. It tells names and paths, and nothing about a user.
  statement {
    sid       = "FindOrphans"
    actions   = ["iam:ListUsers"]
    resources = ["*"]
  }

  statement {
    sid = "DeadLettersByHand"
    actions = [
      "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListMessageMoveTasks", "sqs:PurgeQueue",
      "sqs:ReceiveMessage", "sqs:SendMessage", "sqs:StartMessageMoveTask",
    ]
    resources = [aws_sqs_queue.dead_letters.arn, aws_sqs_queue.parking.arn]
  }
}
