# What each function needs beside converging: to read what wakes it, to hand on what it gives up on, to see every user.
locals {
  own_rights = {
    manager     = [data.aws_iam_policy_document.manager.json]
    dead_letter = [data.aws_iam_policy_document.all_rows.json, data.aws_iam_policy_document.dead_letter.json]
    sweep       = [data.aws_iam_policy_document.all_rows.json, data.aws_iam_policy_document.sweep.json]
  }
}

data "aws_iam_policy_document" "manager" {
  statement {
    sid       = "ReadStream"
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
    resources = [local.stream_arn]
  }

  statement {
    sid       = "GiveUp"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }
}

# A dead letter names a place in the stream and no user: which users it speaks of is read there, while the stream keeps it.
data "aws_iam_policy_document" "dead_letter" {
  statement {
    sid       = "ReadPlacesInStream"
    actions   = ["dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [local.stream_arn]
  }

  statement {
    sid = "WorkOffDeadLetters"
    actions = [
      "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
    ]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  statement {
    sid       = "Park"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.parking.arn]
  }
}

data "aws_iam_policy_document" "sweep" {
  statement {
    sid       = "ReadGrants"
    actions   = ["iam:GetUserPolicy"]
    resources = [local.smtp_users]
  }

  # It knows no resources. It tells names and paths, and nothing about a user.
  statement {
    sid       = "FindOrphans"
    actions   = ["iam:ListUsers"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "all_rows" {
  statement {
    sid       = "AllOwnRows"
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
