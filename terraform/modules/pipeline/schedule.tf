# The trigger of the sweep: a schedule. A failed run is not retried, because the next run continues where the last one
# stopped.
resource "aws_scheduler_schedule" "sweep" {
  #checkov:skip=CKV_AWS_297:The schedule contains only the function's ARN; the AWS-owned key is sufficient and free.
  name                = local.names.sweep_schedule
  description         = "Runs the sweep of ${var.environment}"
  schedule_expression = var.pipeline.sweep.schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.function["sweep"].arn
    role_arn = aws_iam_role.scheduler.arn

    retry_policy { # covers only the call from the scheduler to Lambda
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 900
    }
  }

  # The first sweep may start as soon as the schedule exists. It needs its permissions, and checks the mapping of the stream.
  depends_on = [
    aws_iam_role_policy.scheduler,
    aws_iam_role_policy.function,
    aws_lambda_event_source_mapping.stream,
    aws_lambda_function_event_invoke_config.sweep,
  ]
}

resource "aws_lambda_function_event_invoke_config" "sweep" {
  function_name                = aws_lambda_function.function["sweep"].function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 900 # after that time the next scheduled run takes over
}

resource "aws_iam_role" "scheduler" {
  name                 = local.names.scheduler
  description          = "Invokes the sweep of ${var.environment}"
  path                 = var.role_path
  permissions_boundary = var.role_permissions_boundary
  assume_role_policy   = data.aws_iam_policy_document.scheduler_trust.json
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "invoke-sweep"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.scheduler.json
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    sid       = "InvokeSweep"
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.function["sweep"].arn]
  }
}

# Only schedules of this account. A schedule group is the narrowest source that AWS supports. The sweep is in the default
# group.
data "aws_iam_policy_document" "scheduler_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:scheduler:${data.aws_region.current.region}:${var.account_id}:schedule-group/default"]
    }
  }
}
