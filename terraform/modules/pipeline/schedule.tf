# What wakes the sweep: the clock. One that fails is not repeated, because the next goes on where the last one stopped.
resource "aws_scheduler_schedule" "sweep" {
  #checkov:skip=CKV_AWS_297:A schedule holds no more than the function's ARN; AWS's own key does, without a standing cost.
  name                = local.names.sweep_schedule
  description         = "Looks at every SMTP user of ${var.environment}"
  schedule_expression = var.pipeline.sweep.schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.function["sweep"].arn
    role_arn = aws_iam_role.scheduler.arn

    retry_policy { # of handing it over to Lambda
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 900
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}

resource "aws_lambda_function_event_invoke_config" "sweep" {
  function_name                = aws_lambda_function.function["sweep"].function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 900 # what Lambda holds back for that long, the next sweep does
}

resource "aws_iam_role" "scheduler" {
  name               = local.names.scheduler
  description        = "Invokes the sweep of ${var.environment}"
  assume_role_policy = data.aws_iam_policy_document.scheduler_trust.json
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

# Only schedules of this account. AWS takes no narrower source than a group, and ours is in the default one.
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
