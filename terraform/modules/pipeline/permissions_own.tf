# The permissions that only one or two of the functions need: read the trigger, send or park dead letters, list users,
# check the trigger and the SES account.
locals {
  own_permissions = {
    manager     = [data.aws_iam_policy_document.manager.json]
    dead_letter = [data.aws_iam_policy_document.query_records.json, data.aws_iam_policy_document.dead_letter.json]
    sweep = concat(
      [data.aws_iam_policy_document.query_records.json, data.aws_iam_policy_document.sweep.json],
      data.aws_iam_policy_document.wide_reads[*].json,
    )
  }
}

data "aws_iam_policy_document" "manager" {
  statement {
    sid       = "ReadStream"
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
    resources = [local.stream_arn]
  }

  statement {
    sid       = "SendDeadLetters"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }
}

# The message of the stream mapping contains a range of the stream and no user names. The function reads the names from the stream,
# as long as the stream keeps that range.
data "aws_iam_policy_document" "dead_letter" {
  statement {
    sid       = "ReadStreamRange"
    actions   = ["dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [local.stream_arn]
  }

  statement {
    sid = "ProcessDeadLetters"
    actions = [
      "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
    ]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  statement {
    sid       = "ParkDeadLetters"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.parking.arn]
  }
}

data "aws_iam_policy_document" "sweep" {
  statement {
    sid       = "ReadUserPolicies"
    actions   = ["iam:GetUserPolicy"]
    resources = [local.smtp_users]
  }

  statement {
    sid       = "ReadTableSettings"
    actions   = ["dynamodb:DescribeTable"]
    resources = [local.table_arn]
  }

  # These actions do not support resource-level permissions. They return the names and paths of IAM users, the event source
  # mappings of functions, and the state of the SES account; no policies, keys, code or messages.
  statement {
    sid       = "ReadAccount"
    actions   = ["iam:ListUsers", "lambda:ListEventSourceMappings", "ses:GetAccount"]
    resources = ["*"]
  }
}

# One call returns all IAM users of the account with their policies, groups and tags; no access keys and no secrets. The action
# supports neither resource-level permissions nor a condition on what is returned: docs/decisions/0009-wide-reads.md.
data "aws_iam_policy_document" "wide_reads" {
  #checkov:skip=CKV_AWS_356:iam:GetAccountAuthorizationDetails does not support resource-level permissions.
  count = var.wide_reads ? 1 : 0

  statement {
    sid       = "ReadAllUsers"
    actions   = ["iam:GetAccountAuthorizationDetails"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "query_records" {
  statement {
    sid       = "QueryRecords"
    actions   = ["dynamodb:Query"]
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
