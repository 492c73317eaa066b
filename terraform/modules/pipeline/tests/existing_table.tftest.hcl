# A table that exists already is only read.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment        = "test"
  account_id         = "111122223333"
  pipeline           = yamldecode(file("../../../reconciler/pipeline/pipeline.yaml"))
  table_name         = "platform"
  configuration_set  = "smtp-test"
  smtp_regions       = ["eu-central-1", "eu-west-1"]
  allowed_domains    = ["example.com"]
  code               = "tests/code.zip"
  max_orphans        = 5
  max_orphan_percent = 50
  existing_table     = true
}

run "it_is_used_with_its_current_stream_and_not_created" {
  command = plan

  assert {
    condition     = length(aws_dynamodb_table.records) == 0 && output.table_arn == "arn:aws:dynamodb:eu-central-1:111122223333:table/platform"
    error_message = "An existing table must be used and not be created."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream.event_source_arn == data.aws_dynamodb_table.existing[0].stream_arn
    error_message = "The mapping must read the current stream of the table."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.function : function.environment[0].variables.TABLE_NAME == "platform"])
    error_message = "The functions must use the existing table."
  }
}

# A mocked table has no key: tests/terraform evaluates the permission to use one.
run "a_table_without_a_key_of_its_own_needs_no_permission" {
  command = plan

  assert {
    condition     = output.table_key_arn == null && length(output.table_key_policies) == 0
    error_message = "There is no key to use."
  }
}

run "a_table_without_a_stream_is_rejected" {
  command = plan

  override_data {
    target = data.aws_dynamodb_table.existing[0]
    values = { stream_enabled = false, stream_view_type = "" }
  }

  expect_failures = [data.aws_dynamodb_table.existing]
}

run "a_stream_of_keys_is_rejected" {
  command = plan

  override_data {
    target = data.aws_dynamodb_table.existing[0]
    values = { stream_view_type = "KEYS_ONLY" }
  }

  expect_failures = [data.aws_dynamodb_table.existing]
}

run "a_table_with_other_keys_is_rejected" {
  command = plan

  override_data {
    target = data.aws_dynamodb_table.existing[0]
    values = { hash_key = "id", range_key = "" }
  }

  expect_failures = [data.aws_dynamodb_table.existing]
}

run "a_table_with_numbers_as_keys_is_rejected" {
  command = plan

  override_data {
    target = data.aws_dynamodb_table.existing[0]
    values = { attribute = [{ name = "PK", type = "S" }, { name = "SK", type = "N" }] }
  }

  expect_failures = [data.aws_dynamodb_table.existing]
}
