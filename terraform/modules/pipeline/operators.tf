# The policy for on-call operators: `reconcile status`, `retry`, `revoke`, `resume`, `drift` and `dns`, and manual work on the two
# queues. The commands write a request into the record and the functions execute it: nothing here writes to IAM or decrypts.
resource "aws_iam_policy" "operator" {
  name        = local.names.operator
  description = "On-call operators of the SMTP users of ${var.environment}"
  policy      = data.aws_iam_policy_document.operator.json
}

data "aws_iam_policy_document" "operator" {
  #checkov:skip=CKV_AWS_356:iam:ListUsers does not support resource-level permissions.
  source_policy_documents = concat(local.table_key, data.aws_iam_policy_document.wide_reads[*].json)

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

  # The attributes that `retry`, `revoke` and `resume` update (reconciler/aws/records.py). None of them belongs to the grant.
  statement {
    sid       = "WriteRequests"
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
        "PK", "SK", "actor", "ci_actor", "correlation_id", "failure", "requested_at", "revision", "revoked",
        "revoked_users", "run", "status", "version",
      ]
    }

    condition {
      test     = "Null"
      variable = "dynamodb:Attributes"
      values   = ["false"]
    }
  }

  # `reconcile drift` needs the same reads as the plan role of CI. IAM evaluates GetUser for a missing user without a path,
  # and for a user of the same name under another path with that path. The wildcard covers both.
  statement {
    sid       = "GetUsersByName"
    actions   = ["iam:GetUser"]
    resources = ["arn:${local.partition}:iam::${var.account_id}:user/*smtp-${var.environment}-*"]
  }

  statement {
    sid = "ReadOwnUsers"
    actions = [
      "iam:GetAccessKeyLastUsed", "iam:GetLoginProfile", "iam:GetUserPolicy", "iam:ListAccessKeys",
      "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser", "iam:ListMFADevices", "iam:ListServiceSpecificCredentials",
      "iam:ListSigningCertificates", "iam:ListSSHPublicKeys", "iam:ListUserPolicies",
    ]
    resources = [local.smtp_users]
  }

  # This action does not support resource-level permissions. It returns names and paths, but no policies or keys.
  statement {
    sid       = "FindOrphans"
    actions   = ["iam:ListUsers"]
    resources = ["*"]
  }

  # `reconcile dns` and `status`. GetAccount does not support resource-level permissions.
  statement {
    sid       = "ReadSes"
    actions   = ["ses:GetAccount", "ses:GetEmailIdentity"]
    resources = ["*"]
  }

  statement {
    sid = "ProcessDeadLetters"
    actions = [
      "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListMessageMoveTasks", "sqs:PurgeQueue",
      "sqs:ReceiveMessage", "sqs:SendMessage", "sqs:StartMessageMoveTask",
    ]
    resources = [aws_sqs_queue.dead_letters.arn, aws_sqs_queue.parking.arn]
  }
}
