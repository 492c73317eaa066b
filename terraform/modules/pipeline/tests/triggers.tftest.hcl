# What triggers the functions, and where failed events go.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment        = "test"
  account_id         = "111122223333"
  pipeline           = yamldecode(file("../../../reconciler/pipeline/pipeline.yaml"))
  table_name         = "smtp-users-test"
  configuration_set  = "smtp-test"
  smtp_regions       = ["eu-central-1", "eu-west-1"]
  allowed_domains    = ["example.com"]
  code               = "tests/code.zip"
  max_orphans        = 5
  max_orphan_percent = 50
}

run "the_stream_triggers_the_manager_for_requests_and_removals_only" {
  command = plan

  assert {
    condition = anytrue([
      for filter in aws_lambda_event_source_mapping.stream.filter_criteria[0].filter :
      jsondecode(filter.pattern).eventName == ["REMOVE"]
    ])
    error_message = "REMOVE events need their own filter, because a filter on NewImage drops them."
  }

  assert {
    condition = alltrue([
      for filter in aws_lambda_event_source_mapping.stream.filter_criteria[0].filter :
      jsondecode(filter.pattern).dynamodb.Keys.PK.S == ["SMTP_USER"]
    ])
    error_message = "Every filter must contain the partition SMTP_USER, because the table may contain other items."
  }

  assert {
    condition = !anytrue(flatten([
      for filter in aws_lambda_event_source_mapping.stream.filter_criteria[0].filter : [
        for status in try(jsondecode(filter.pattern).dynamodb.NewImage.status.S, []) :
        contains(["active", "disabled", "failed"], status)
      ]
    ]))
    error_message = "Statuses that the functions write must not trigger them again: that would be a loop."
  }
}

run "batches_that_cannot_be_delivered_are_kept" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.stream.destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.dead_letters.arn
    error_message = "The on-failure destination of the mapping must be the dead-letter queue."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.maximum_retry_attempts >= 0 && aws_lambda_event_source_mapping.stream.maximum_record_age_in_seconds > 0
    error_message = "Retries and age must be limited: otherwise one invalid record blocks its shard for a day."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.maximum_record_age_in_seconds < 86400
    error_message = "The mapping must stop retrying before the stream discards the record."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "A user that the dead-letter queue does not accept must not return the others of a batch."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.starting_position == "TRIM_HORIZON"
    error_message = "The starting position must not be LATEST, which can miss records written while the mapping is created."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letters.redrive_policy).deadLetterTargetArn == aws_sqs_queue.parking.arn
    error_message = "The dead-letter queue must redrive to the parking queue."
  }
}

run "dead_letters_are_processed_and_fail_one_by_one" {
  command = plan

  assert {
    condition = (
      aws_lambda_event_source_mapping.dead_letters.event_source_arn == aws_sqs_queue.dead_letters.arn &&
      aws_lambda_event_source_mapping.dead_letters.function_name == aws_lambda_function.function["dead_letter"].arn &&
      aws_lambda_event_source_mapping.stream.function_name == aws_lambda_function.function["manager"].arn
    )
    error_message = "The stream must trigger the credential manager, and the queue the dead-letter function."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.dead_letters.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "One failed message must not return the others of its batch to the queue."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.dead_letters.scaling_config[0].maximum_concurrency == 2 &&
      aws_lambda_event_source_mapping.dead_letters.batch_size == 5
    )
    error_message = "Retries must not run all at once, because throttling may have caused the failures."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.visibility_timeout_seconds >= 6 * aws_lambda_function.function["dead_letter"].timeout
    error_message = "The visibility timeout must be at least six times the function's timeout, as AWS recommends."
  }

  assert {
    condition = (
      jsondecode(aws_sqs_queue.dead_letters.redrive_policy).maxReceiveCount == var.pipeline.dead_letters.max_receives &&
      var.pipeline.dead_letters.max_receives >= 10 * var.pipeline.dead_letters.tries
    )
    error_message = "The queue itself must park only what the function never parks: otherwise the record does not contain the reason."
  }

  assert {
    condition = (
      jsondecode(aws_sqs_queue_redrive_allow_policy.parking.redrive_allow_policy).sourceQueueArns ==
      [aws_sqs_queue.dead_letters.arn]
    )
    error_message = "Only the dead-letter queue may redrive to the parking queue."
  }
}

run "the_sweep_runs_on_a_schedule" {
  command = plan

  assert {
    condition = (
      aws_scheduler_schedule.sweep.schedule_expression == "rate(1 hour)" &&
      aws_scheduler_schedule.sweep.target[0].arn == aws_lambda_function.function["sweep"].arn &&
      aws_scheduler_schedule.sweep.target[0].role_arn == aws_iam_role.scheduler.arn
    )
    error_message = "The schedule must invoke the sweep every hour, with its own role."
  }

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.sweep.maximum_retry_attempts == 0 &&
      aws_lambda_function_event_invoke_config.sweep.maximum_event_age_in_seconds < 3600 &&
      aws_scheduler_schedule.sweep.target[0].retry_policy[0].maximum_event_age_in_seconds < 3600
    )
    error_message = "A failed sweep must not be retried: the next one continues where it stopped."
  }

  assert {
    condition = (
      length(data.aws_iam_policy_document.scheduler.statement) == 1 &&
      data.aws_iam_policy_document.scheduler.statement[0].actions == toset(["lambda:InvokeFunction"]) &&
      data.aws_iam_policy_document.scheduler.statement[0].resources == toset([aws_lambda_function.function["sweep"].arn])
    )
    error_message = "The role of the schedule must only be able to invoke the sweep."
  }

  assert {
    condition = {
      for condition in data.aws_iam_policy_document.scheduler_trust.statement[0].condition : condition.variable => join(" ", concat([condition.test], condition.values))
      } == {
      "aws:SourceAccount" = "StringEquals 111122223333"
      "aws:SourceArn"     = "StringEquals arn:aws:scheduler:eu-central-1:111122223333:schedule-group/default"
    }
    error_message = "Only schedules of this account may use the role."
  }
}
