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
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:111122223333:smtp-dead-letters-test" }
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

variables {
  environment       = "test"
  account_id        = "111122223333"
  pipeline          = yamldecode(file("../../../reconciler/pipeline.yaml"))
  table_name        = "smtp-users-test"
  configuration_set = "smtp-test"
  smtp_regions      = ["eu-central-1", "eu-west-1"]
  allowed_domains   = ["example.com"]
  code              = "tests/code.zip"
}

run "the_mapping_wakes_the_manager_for_requests_and_removals_and_for_nothing_it_writes_itself" {
  command = plan

  assert {
    condition = anytrue([
      for filter in aws_lambda_event_source_mapping.stream.filter_criteria[0].filter :
      jsondecode(filter.pattern).eventName == ["REMOVE"]
    ])
    error_message = "A filter on NewImage drops every REMOVE: it needs a filter of its own."
  }

  assert {
    condition = alltrue([
      for filter in aws_lambda_event_source_mapping.stream.filter_criteria[0].filter :
      jsondecode(filter.pattern).dynamodb.Keys.PK.S == ["SMTP_USER"]
    ])
    error_message = "The table may hold other things: every filter names our partition."
  }

  assert {
    condition = !anytrue(flatten([
      for filter in aws_lambda_event_source_mapping.stream.filter_criteria[0].filter : [
        for status in try(jsondecode(filter.pattern).dynamodb.NewImage.status.S, []) :
        contains(["active", "disabled", "failed"], status)
      ]
    ]))
    error_message = "What the manager writes itself must not wake it: that is a loop."
  }
}

run "what_the_mapping_gives_up_on_is_kept" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.stream.destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.dead_letters.arn
    error_message = "The mapping's on-failure destination is the dead-letter queue."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.maximum_retry_attempts >= 0 && aws_lambda_event_source_mapping.stream.maximum_record_age_in_seconds > 0
    error_message = "Retries and age are finite, or one bad record blocks its shard for a day."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.maximum_record_age_in_seconds < 86400
    error_message = "Give up before the stream forgets."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "One bad user must not hold up a batch."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.starting_position == "TRIM_HORIZON"
    error_message = "LATEST can miss rows that are written while the mapping is made."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letters.redrive_policy).deadLetterTargetArn == aws_sqs_queue.parking.arn
    error_message = "Behind the dead-letter queue there is a parking queue."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.visibility_timeout_seconds >= 6 * aws_lambda_function.manager.timeout
    error_message = "AWS asks for a visibility time-out of six times the function's."
  }
}

run "the_manager_is_confined" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.manager_iam.statement : [for action in statement.actions : !strcontains(action, "*")]
    ]))
    error_message = "No wildcard action on IAM."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.manager_iam.statement :
      statement.resources == toset(["arn:aws:iam::111122223333:user/smtp/test/*"])
      || statement.actions == toset(["iam:RemoveUserFromGroup"])
      || (statement.actions == toset(["iam:GetUser"]) && statement.resources == toset(["arn:aws:iam::111122223333:user/*smtp-test-*"]))
    ])
    error_message = "Only users under our own path; looking, by name only; leaving groups."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.manager_iam.statement :
      length([for c in statement.condition : c if c.variable == "iam:PermissionsBoundary" && c.values == tolist([aws_iam_policy.boundary.arn])]) == 1
      if length(setintersection(statement.actions, [
        "iam:CreateUser", "iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:AttachUserPolicy", "iam:DetachUserPolicy",
        "iam:PutUserPermissionsBoundary",
      ])) > 0
    ])
    error_message = "What could widen a user is allowed only under the boundary."
  }

  assert {
    condition     = !contains(flatten([for statement in data.aws_iam_policy_document.manager_data.statement : tolist(statement.actions)]), "kms:Decrypt")
    error_message = "The manager encrypts and never decrypts."
  }
}

run "the_boundary_lets_a_user_send_and_nothing_else" {
  command = plan

  assert {
    condition     = data.aws_iam_policy_document.boundary.statement[0].actions == toset(["ses:SendRawEmail"]) && length(data.aws_iam_policy_document.boundary.statement) == 1
    error_message = "Sending is all an SMTP user may ever do."
  }

  assert {
    condition = data.aws_iam_policy_document.boundary.statement[0].resources == toset([
      "arn:aws:ses:eu-central-1:111122223333:identity/*",
      "arn:aws:ses:eu-central-1:111122223333:configuration-set/smtp-test",
      "arn:aws:ses:eu-west-1:111122223333:identity/*",
      "arn:aws:ses:eu-west-1:111122223333:configuration-set/smtp-test",
    ])
    error_message = "Any identity, and the one configuration set, in each region."
  }
}

run "nothing_costs_while_nothing_happens" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.records[0].billing_mode == "PAY_PER_REQUEST"
    error_message = "The table is on demand."
  }

  assert {
    condition     = aws_lambda_function.manager.reserved_concurrent_executions == -1 && length(aws_lambda_function.manager.vpc_config) == 0
    error_message = "No reservation and no VPC unless asked for."
  }

  assert {
    condition     = aws_dynamodb_table.records[0].deletion_protection_enabled && aws_dynamodb_table.records[0].point_in_time_recovery[0].enabled
    error_message = "The table is protected and can be restored."
  }
}

run "an_existing_table_is_used_and_not_made" {
  command = plan

  variables {
    table_name                = "platform"
    existing_table_stream_arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/platform/stream/2026-01-15T09:30:00.000"
  }

  assert {
    condition     = length(aws_dynamodb_table.records) == 0
    error_message = "The table exists already."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.event_source_arn == var.existing_table_stream_arn
    error_message = "The mapping reads the existing stream."
  }

  assert {
    condition     = output.table_arn == "arn:aws:dynamodb:eu-central-1:111122223333:table/platform"
    error_message = "The table's ARN is told from its stream's."
  }

  assert {
    condition     = aws_lambda_function.manager.environment[0].variables.TABLE_NAME == "platform"
    error_message = "The manager works on the existing table."
  }
}

run "a_stream_arn_that_is_none_is_refused" {
  command = plan

  variables {
    existing_table_stream_arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/platform"
  }

  expect_failures = [var.existing_table_stream_arn]
}

run "readers_are_named_or_nobody_decrypts" {
  command = plan

  variables {
    credential_readers = ["arn:aws:iam::111122223333:role/mail-administrators"]
  }

  assert {
    condition = [
      for statement in data.aws_iam_policy_document.key.statement : tolist(statement.principals)[0].identifiers
      if contains(statement.actions, "kms:Decrypt")
    ] == [toset(["arn:aws:iam::111122223333:role/mail-administrators"])]
    error_message = "Only the named readers decrypt."
  }

  assert {
    condition     = aws_kms_key.credentials.enable_key_rotation
    error_message = "The key rotates."
  }
}
