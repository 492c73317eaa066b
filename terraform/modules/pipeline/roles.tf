# One role for each function: the permissions to converge a user (permissions_converge.tf) and its own (permissions_own.tf).
resource "aws_iam_role" "function" {
  for_each = local.functions

  name                 = each.value.name
  description          = local.descriptions[each.key]
  path                 = var.role_path
  permissions_boundary = var.role_permissions_boundary
  assume_role_policy   = data.aws_iam_policy_document.lambda_trust.json
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name   = "permissions"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.function[each.key].json
}

data "aws_iam_policy_document" "lambda_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  for_each = local.functions

  #checkov:skip=CKV_AWS_356:X-Ray, iam:ListUsers, lambda:ListEventSourceMappings and ses:GetAccount do not support resource-level permissions.
  #checkov:skip=CKV_AWS_111:As above.
  source_policy_documents = concat([
    data.aws_iam_policy_document.converge_iam.json,
    data.aws_iam_policy_document.converge_data.json,
    data.aws_iam_policy_document.telemetry[each.key].json,
  ], local.table_key, local.own_permissions[each.key])
}

data "aws_iam_policy_document" "telemetry" {
  for_each = local.functions

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
  }

  statement {
    sid       = "Trace"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"]
  }
}
