mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/smtp-credential-manager-test" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::111122223333:policy/smtp-boundary-test" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/smtp-credential-manager-test" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:smtp-credential-manager-test" }
  }
  mock_resource "aws_dynamodb_table" {
    defaults = {
      arn        = "arn:aws:dynamodb:eu-central-1:111122223333:table/smtp-users-test"
      stream_arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/smtp-users-test/stream/2026-01-01T00:00:00.000"
    }
  }
  override_during = plan
}

override_resource {
  override_during = plan
  target          = aws_iam_role.function["dead_letter"]
  values          = { arn = "arn:aws:iam::111122223333:role/smtp-dead-letters-test" }
}

override_resource {
  override_during = plan
  target          = aws_iam_role.function["sweep"]
  values          = { arn = "arn:aws:iam::111122223333:role/smtp-sweep-test" }
}

override_resource {
  override_during = plan
  target          = aws_lambda_function.function["dead_letter"]
  values          = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:smtp-dead-letters-test" }
}

override_resource {
  override_during = plan
  target          = aws_lambda_function.function["sweep"]
  values          = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:smtp-sweep-test" }
}

override_resource {
  override_during = plan
  target          = aws_cloudwatch_log_group.function["dead_letter"]
  values          = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/smtp-dead-letters-test" }
}

override_resource {
  override_during = plan
  target          = aws_cloudwatch_log_group.function["sweep"]
  values          = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/smtp-sweep-test" }
}

override_resource {
  override_during = plan
  target          = aws_sqs_queue.dead_letters
  values = {
    arn = "arn:aws:sqs:eu-central-1:111122223333:smtp-dead-letters-test"
    url = "https://sqs.eu-central-1.amazonaws.com/111122223333/smtp-dead-letters-test"
  }
}

override_resource {
  override_during = plan
  target          = aws_sqs_queue.parking
  values = {
    arn = "arn:aws:sqs:eu-central-1:111122223333:smtp-parked-test"
    url = "https://sqs.eu-central-1.amazonaws.com/111122223333/smtp-parked-test"
  }
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
    error_message = "One failed user must not delay the others of a batch."
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
    condition     = jsondecode(aws_sqs_queue.dead_letters.redrive_policy).maxReceiveCount == var.pipeline.dead_letters.tries + 2
    error_message = "The function must park a message before the queue does, so that the record contains the reason."
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

run "three_functions_share_code_and_settings_and_each_has_its_own_role_and_log" {
  command = plan

  assert {
    condition = { for role, function in aws_lambda_function.function : role => "${function.function_name} ${function.handler}" } == {
      manager     = "smtp-credential-manager-test reconciler.manager.handlers.stream.handler"
      dead_letter = "smtp-dead-letters-test reconciler.manager.handlers.dead_letter.handler"
      sweep       = "smtp-sweep-test reconciler.manager.handlers.sweep.handler"
    }
    error_message = "Names and handlers must be those of pipeline.yaml."
  }

  assert {
    condition = alltrue([
      for role, function in aws_lambda_function.function : (
        function.runtime == var.pipeline.runtime &&
        function.architectures == tolist(["arm64"]) &&
        function.source_code_hash == filebase64sha256(var.code) &&
        function.tracing_config[0].mode == "Active" &&
        function.logging_config[0].log_format == "JSON" &&
        function.logging_config[0].log_group == "/aws/lambda/${function.function_name}" &&
        function.role == aws_iam_role.function[role].arn &&
        aws_iam_role.function[role].name == function.function_name &&
        aws_cloudwatch_log_group.function[role].name == "/aws/lambda/${function.function_name}" &&
        aws_cloudwatch_log_group.function[role].retention_in_days == 365
      )
    ])
    error_message = "The functions must have the same zip and runtime, tracing, JSON logs with a retention, and one role each."
  }

  assert {
    condition = {
      for role, function in aws_lambda_function.function :
      role => { for name, value in function.environment[0].variables : name => value if !contains(keys(local.settings), name) }
      } == {
      manager = {}
      dead_letter = {
        DEAD_LETTER_QUEUE_URL = "https://sqs.eu-central-1.amazonaws.com/111122223333/smtp-dead-letters-test"
        PARKING_QUEUE_URL     = "https://sqs.eu-central-1.amazonaws.com/111122223333/smtp-parked-test"
        DEAD_LETTER_TRIES     = "8"
      }
      sweep = { SWEEP_USERS_PER_RUN = "2000", MAX_ORPHANS = "5", MAX_ORPHAN_PERCENT = "50" }
    }
    error_message = "Each function must have the settings that only its handler reads."
  }

  assert {
    condition = alltrue([
      for function in aws_lambda_function.function :
      length(setsubtract(keys(local.settings), keys(function.environment[0].variables))) == 0
    ])
    error_message = "Each function must have the shared settings, because each converges users."
  }

  assert {
    condition = {
      for role, document in data.aws_iam_policy_document.telemetry : role => [
        for statement in document.statement : tolist(statement.resources)[0] if contains(statement.actions, "logs:PutLogEvents")
      ]
      } == {
      for role, group in aws_cloudwatch_log_group.function : role => ["${group.arn}:*"]
    }
    error_message = "A function must only be able to write to its own log group."
  }

  assert {
    condition     = length(aws_lambda_function.function["sweep"].environment[0].variables) == length(local.settings) + 3 && output.functions.sweep == { name = "smtp-sweep-test", log_group = "/aws/lambda/smtp-sweep-test" }
    error_message = "The outputs for monitoring must contain the functions that are created."
  }
}

run "an_orphan_limit_out_of_range_is_rejected" {
  command = plan

  variables {
    max_orphans        = -1
    max_orphan_percent = 101
  }

  expect_failures = [var.max_orphans, var.max_orphan_percent]
}

run "concurrency_can_be_reserved_for_one_function" {
  command = plan

  variables {
    reserved_concurrency = { sweep = 1 }
  }

  assert {
    condition = { for role, function in aws_lambda_function.function : role => function.reserved_concurrent_executions } == {
      manager     = -1
      dead_letter = -1
      sweep       = 1
    }
    error_message = "Only the sweep may have reserved concurrency."
  }
}

run "a_reservation_for_an_unknown_function_is_rejected" {
  command = plan

  variables {
    reserved_concurrency = { sweeper = 1 }
  }

  expect_failures = [var.reserved_concurrency]
}

run "each_function_has_only_the_permissions_of_its_own_task" {
  command = plan

  assert {
    condition = {
      for role, document in {
        manager     = data.aws_iam_policy_document.manager
        dead_letter = data.aws_iam_policy_document.dead_letter
        sweep       = data.aws_iam_policy_document.sweep
        } : role => {
        for statement in document.statement :
        join(" ", sort(statement.resources)) => join(" ", sort(statement.actions))
      }
      } == {
      manager = {
        (local.stream_arn)               = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams"
        (aws_sqs_queue.dead_letters.arn) = "sqs:SendMessage"
      }
      dead_letter = {
        (local.stream_arn)               = "dynamodb:GetRecords dynamodb:GetShardIterator"
        (aws_sqs_queue.dead_letters.arn) = "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage"
        (aws_sqs_queue.parking.arn)      = "sqs:SendMessage"
      }
      sweep = {
        (local.smtp_users) = "iam:GetUserPolicy"
        "*"                = "iam:ListUsers"
      }
    }
    error_message = "Only the functions that need a stream, a queue or a list of IAM users may have access to it."
  }

  assert {
    condition = (
      length(local.own_permissions.manager) == 1 && length(local.own_permissions.dead_letter) == 2 && length(local.own_permissions.sweep) == 2 &&
      data.aws_iam_policy_document.query_records.statement[0].actions == toset(["dynamodb:Query"])
    )
    error_message = "The credential manager reads single records; the other functions also query records."
  }

  assert {
    condition = alltrue([
      for statement in [data.aws_iam_policy_document.query_records.statement[0], data.aws_iam_policy_document.converge_data.statement[0]] :
      length([for c in statement.condition : c if c.variable == "dynamodb:LeadingKeys" && c.values == tolist(["SMTP_USER"])]) == 1
      && length([for c in statement.condition : c if c.test == "Null"]) == 1
    ])
    error_message = "The leading key must be SMTP_USER, and a request without any key must be denied."
  }

  assert {
    condition = [
      for statement in data.aws_iam_policy_document.key.statement : tolist(statement.principals)[0].identifiers
      if contains(statement.actions, "kms:Encrypt")
      ] == [toset([
        "arn:aws:iam::111122223333:role/smtp-credential-manager-test",
        "arn:aws:iam::111122223333:role/smtp-dead-letters-test",
        "arn:aws:iam::111122223333:role/smtp-sweep-test",
    ])]
    error_message = "Only the three functions may encrypt."
  }
}

run "the_permissions_to_converge_a_user_are_confined" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.converge_iam.statement : [for action in statement.actions : !strcontains(action, "*")]
    ]))
    error_message = "IAM actions must not contain wildcards."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.converge_iam.statement :
      statement.resources == toset(["arn:aws:iam::111122223333:user/smtp/test/*"])
      || statement.actions == toset(["iam:RemoveUserFromGroup"])
      || (statement.actions == toset(["iam:GetUser"]) && statement.resources == toset(["arn:aws:iam::111122223333:user/*smtp-test-*"]))
    ])
    error_message = "The resources must be users under this environment's path. Exceptions: GetUser by name, and RemoveUserFromGroup."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.converge_iam.statement :
      length([for c in statement.condition : c if c.variable == "iam:PermissionsBoundary" && c.values == tolist([aws_iam_policy.boundary.arn])]) == 1
      if length(setintersection(statement.actions, [
        "iam:CreateUser", "iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:AttachUserPolicy", "iam:DetachUserPolicy",
        "iam:PutUserPermissionsBoundary",
      ])) > 0
    ])
    error_message = "Actions that could widen a user's permissions must require the permissions boundary."
  }

  assert {
    condition     = !contains(flatten([for statement in data.aws_iam_policy_document.converge_data.statement : tolist(statement.actions)]), "kms:Decrypt")
    error_message = "The functions must not be able to decrypt."
  }
}

run "the_boundary_allows_only_sending" {
  command = plan

  assert {
    condition     = data.aws_iam_policy_document.boundary.statement[0].actions == toset(["ses:SendRawEmail"]) && length(data.aws_iam_policy_document.boundary.statement) == 1
    error_message = "The boundary must allow only ses:SendRawEmail."
  }

  assert {
    condition = data.aws_iam_policy_document.boundary.statement[0].resources == toset([
      "arn:aws:ses:eu-central-1:111122223333:identity/*",
      "arn:aws:ses:eu-central-1:111122223333:configuration-set/smtp-test",
      "arn:aws:ses:eu-west-1:111122223333:identity/*",
      "arn:aws:ses:eu-west-1:111122223333:configuration-set/smtp-test",
    ])
    error_message = "The boundary must allow any identity and one configuration set, in each region."
  }
}

run "the_idle_system_has_no_cost_per_hour" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.records[0].billing_mode == "PAY_PER_REQUEST"
    error_message = "The table must use on-demand billing."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.function : function.reserved_concurrent_executions == -1 && length(function.vpc_config) == 0])
    error_message = "The functions must have no reserved concurrency by default, and no VPC."
  }

  assert {
    condition     = aws_dynamodb_table.records[0].deletion_protection_enabled && aws_dynamodb_table.records[0].point_in_time_recovery[0].enabled
    error_message = "The table must have deletion protection and point-in-time recovery."
  }
}

run "an_existing_table_is_used_and_not_created" {
  command = plan

  variables {
    table_name                = "platform"
    existing_table_stream_arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/platform/stream/2026-01-15T09:30:00.000"
  }

  assert {
    condition     = length(aws_dynamodb_table.records) == 0
    error_message = "An existing table must not be created."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.event_source_arn == var.existing_table_stream_arn
    error_message = "The mapping must read the existing stream."
  }

  assert {
    condition     = output.table_arn == "arn:aws:dynamodb:eu-central-1:111122223333:table/platform"
    error_message = "The ARN of the table must be derived from the ARN of its stream."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.function : function.environment[0].variables.TABLE_NAME == "platform"])
    error_message = "The functions must use the existing table."
  }
}

run "a_table_arn_instead_of_a_stream_arn_is_rejected" {
  command = plan

  variables {
    existing_table_stream_arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/platform"
  }

  expect_failures = [var.existing_table_stream_arn]
}

run "only_the_named_readers_can_decrypt" {
  command = plan

  variables {
    credential_readers = ["arn:aws:iam::111122223333:role/mail-administrators"]
  }

  assert {
    condition = [
      for statement in data.aws_iam_policy_document.key.statement : tolist(statement.principals)[0].identifiers
      if contains(statement.actions, "kms:Decrypt")
    ] == [toset(["arn:aws:iam::111122223333:role/mail-administrators"])]
    error_message = "Only the named readers may decrypt."
  }

  assert {
    condition     = aws_kms_key.credentials.enable_key_rotation
    error_message = "Key rotation must be enabled."
  }
}

run "operators_can_write_requests_but_not_change_iam_or_decrypt" {
  command = plan

  assert {
    condition     = aws_iam_policy.operator.name == "smtp-operator-test" && output.operator_policy_arn == aws_iam_policy.operator.arn
    error_message = "The output must contain the ARN of the policy."
  }

  assert {
    condition = {
      for statement in data.aws_iam_policy_document.operator.statement :
      join(" ", sort(statement.resources)) => join(" ", sort(statement.actions))...
      } == {
      (local.table_arn)                             = ["dynamodb:BatchGetItem dynamodb:Query", "dynamodb:UpdateItem"]
      "arn:aws:iam::111122223333:user/*smtp-test-*" = ["iam:GetUser"]
      (local.smtp_users)                            = ["iam:GetUserPolicy iam:ListAccessKeys iam:ListAttachedUserPolicies iam:ListGroupsForUser iam:ListUserPolicies"]
      "*"                                           = ["iam:ListUsers"]
      "${aws_sqs_queue.dead_letters.arn} ${aws_sqs_queue.parking.arn}" = [join(" ", [
        "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListMessageMoveTasks", "sqs:PurgeQueue",
        "sqs:ReceiveMessage", "sqs:SendMessage", "sqs:StartMessageMoveTask",
      ])]
    }
    error_message = "The policy must allow requests in records, reads of the environment's IAM users and work on the two queues, and nothing else."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.operator.statement : (
        length([for c in statement.condition : c if c.variable == "dynamodb:LeadingKeys" && c.values == tolist(["SMTP_USER"])]) == 1
        && length([for c in statement.condition : c if c.test == "Null" && c.variable == "dynamodb:LeadingKeys"]) == 1
      )
      if contains(["ReadRecords", "WriteRequests"], statement.sid)
    ])
    error_message = "The leading key must be SMTP_USER, and a request without any key must be denied."
  }

  assert {
    condition = [
      for c in one([for s in data.aws_iam_policy_document.operator.statement : s if contains(s.actions, "dynamodb:UpdateItem")]).condition :
      "${c.test} ${join(" ", sort(c.values))}" if c.variable == "dynamodb:Attributes"
      ] == [
      "ForAllValues:StringEquals PK SK actor correlation_id failure requested_at revision revoked status", "Null false",
    ]
    error_message = "Operators must only be able to update the attributes of a request, and none of the grant."
  }
}
