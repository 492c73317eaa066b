# The functions, their settings and their costs.
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
      manager = {
        DEAD_LETTER_QUEUE_URL = "https://sqs.eu-central-1.amazonaws.com/111122223333/smtp-dead-letters-test"
      }
      dead_letter = {
        DEAD_LETTER_QUEUE_URL = "https://sqs.eu-central-1.amazonaws.com/111122223333/smtp-dead-letters-test"
        PARKING_QUEUE_URL     = "https://sqs.eu-central-1.amazonaws.com/111122223333/smtp-parked-test"
        DEAD_LETTER_TRIES     = "8"
        TABLE_ARN             = local.table_arn
        STREAM_BATCH_SIZE     = "10"
      }
      sweep = {
        MANAGER_FUNCTION    = "smtp-credential-manager-test"
        SWEEP_USERS_PER_RUN = "6000"
        MAX_ORPHANS         = "5"
        MAX_ORPHAN_PERCENT  = "50"
        WIDE_READS          = "true"
      }
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
    condition     = length(aws_lambda_function.function["sweep"].environment[0].variables) == length(local.settings) + 5 && output.functions.sweep == { name = "smtp-sweep-test", log_group = "/aws/lambda/smtp-sweep-test" }
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
