# What an organisation requires, and what AWS limits.
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
}

run "every_role_has_the_path_and_the_boundary_of_the_organisation" {
  command = plan

  variables {
    role_path                   = "/platform/"
    role_permissions_boundary   = "arn:aws:iam::111122223333:policy/organisation"
    external_credential_readers = ["arn:aws:iam::444455556666:role/mail"]
  }

  assert {
    condition = alltrue([
      for role in concat(values(aws_iam_role.function), [aws_iam_role.scheduler], aws_iam_role.external_reader) :
      role.path == "/platform/" && role.permissions_boundary == "arn:aws:iam::111122223333:policy/organisation"
    ])
    error_message = "Every role must have the path and the boundary."
  }
}

run "readers_of_other_accounts_assume_a_role_that_may_decrypt" {
  command = plan

  variables {
    external_credential_readers = ["arn:aws:iam::444455556666:role/mail"]
  }

  override_resource {
    target          = aws_iam_role.external_reader[0]
    override_during = plan
    values          = { arn = "arn:aws:iam::111122223333:role/smtp-credential-reader-test" }
  }

  assert {
    condition = (
      tolist(data.aws_iam_policy_document.external_reader_trust.statement[0].principals)[0].identifiers == toset(["arn:aws:iam::444455556666:role/mail"]) &&
      aws_iam_role_policy_attachment.external_reader[0].policy_arn == aws_iam_policy.reader.arn
    )
    error_message = "Only the named principals may assume the role, which may read records."
  }

  assert {
    condition = [
      for statement in data.aws_iam_policy_document.key.statement : tolist(statement.principals)[0].identifiers
      if contains(statement.actions, "kms:Decrypt")
    ] == [toset(["arn:aws:iam::111122223333:role/smtp-credential-reader-test"])]
    error_message = "The key policy must name the role of this account, and no principal of another account."
  }
}

run "without_readers_of_other_accounts_there_is_no_role_for_them" {
  command = plan

  assert {
    condition     = length(aws_iam_role.external_reader) == 0 && output.external_reader_role_arn == null
    error_message = "There must be no role that other accounts can assume."
  }
}

run "readers_belong_to_the_setting_of_their_account" {
  command = plan

  variables {
    credential_readers          = ["arn:aws:iam::444455556666:role/mail"]
    external_credential_readers = ["arn:aws:iam::111122223333:role/mail-administrators"]
  }

  expect_failures = [var.credential_readers, var.external_credential_readers]
}

run "a_reader_with_the_wrong_path_is_rejected" {
  command = plan

  variables {
    credential_readers = ["arn:aws:iam::111122223333:role/people/mail-administrators"]
  }

  expect_failures = [data.aws_iam_role.reader]
}

run "tags_of_iam_users_are_a_setting_of_the_functions" {
  command = plan

  variables {
    iam_user_tags = { team = "mail", cost-center = "4711" }
  }

  assert {
    condition = alltrue([
      for function in aws_lambda_function.function :
      function.environment[0].variables.IAM_USER_TAGS == "{\"cost-center\":\"4711\",\"team\":\"mail\"}"
    ])
    error_message = "The functions must set the tags."
  }
}

run "tags_of_the_system_cannot_be_overridden" {
  command = plan

  variables {
    iam_user_tags = { Managed-By = "somebody" }
  }

  expect_failures = [var.iam_user_tags]
}

run "tags_that_say_where_a_policy_comes_from_cannot_be_overridden" {
  command = plan

  variables {
    iam_user_tags = { smtp-commit = "mine" }
  }

  expect_failures = [var.iam_user_tags]
}

run "more_tags_than_an_iam_user_has_room_for_are_rejected" {
  command = plan

  variables {
    iam_user_tags = { for number in range(41) : "tag-${number}" => "x" }
  }

  expect_failures = [var.iam_user_tags]
}

run "two_tags_that_differ_by_case_are_rejected" {
  command = plan

  variables {
    iam_user_tags = { Team = "mail", team = "mail" }
  }

  expect_failures = [var.iam_user_tags]
}

run "settings_that_lambda_does_not_accept_are_rejected" {
  command = plan

  variables {
    allowed_domains = [for number in range(130) : "customer-${number}.mail.example.com"]
  }

  expect_failures = [aws_lambda_function.function]
}

run "settings_within_the_limit_are_accepted" {
  command = plan

  variables {
    allowed_domains = [for number in range(100) : "customer-${number}.mail.example.com"]
  }

  assert {
    condition     = alltrue([for bytes in values(local.settings_bytes) : bytes > 3000 && bytes <= 4096])
    error_message = "100 domains must fit: ${jsonencode(local.settings_bytes)}"
  }
}

run "concurrency_that_cannot_work_is_rejected" {
  command = plan

  variables {
    reserved_concurrency = { dead_letter = 1 }
  }

  expect_failures = [var.reserved_concurrency]
}

run "no_concurrency_at_all_is_rejected" {
  command = plan

  variables {
    reserved_concurrency = { sweep = 0 }
  }

  expect_failures = [var.reserved_concurrency]
}
