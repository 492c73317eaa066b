# Identities and configuration sets that exist already are only read.
mock_provider "aws" {
  mock_data "aws_sesv2_email_identity" {
    defaults = {
      arn                    = "arn:aws:ses:eu-central-1:111122223333:identity/example.com"
      configuration_set_name = "smtp-test"
    }
  }
  mock_data "aws_sesv2_configuration_set" {
    defaults = {
      arn                = "arn:aws:ses:eu-central-1:111122223333:configuration-set/smtp-test"
      reputation_options = [{ reputation_metrics_enabled = true, last_fresh_start = "" }]
      sending_options    = [{ sending_enabled = true }]
    }
  }
  override_during = plan
}

variables {
  domains                    = ["example.com", "news.example.com"]
  existing_identities        = ["example.com"]
  smtp_regions               = ["eu-central-1", "eu-west-1"]
  configuration_set          = "smtp-test"
  existing_configuration_set = true
}

run "nothing_is_changed_on_what_exists" {
  command = plan

  assert {
    condition = (
      toset(keys(aws_sesv2_email_identity.this)) == toset(["news.example.com/eu-central-1", "news.example.com/eu-west-1"]) &&
      toset(keys(aws_sesv2_email_identity_mail_from_attributes.this)) == toset(keys(aws_sesv2_email_identity.this)) &&
      length(aws_sesv2_configuration_set.this) == 0
    )
    error_message = "An existing identity must keep its default configuration set and its MAIL FROM; an existing set is not created."
  }

  assert {
    condition = (
      output.identity_arns["example.com"]["eu-west-1"] == "arn:aws:ses:eu-central-1:111122223333:identity/example.com" &&
      toset(keys(output.configuration_set_arns)) == toset(["eu-central-1", "eu-west-1"])
    )
    error_message = "The outputs must contain what exists."
  }
}

run "another_default_configuration_set_is_reported" {
  command = plan

  override_data {
    target = data.aws_sesv2_email_identity.existing["example.com/eu-west-1"]
    values = { configuration_set_name = "marketing" }
  }

  expect_failures = [check.default_configuration_set_of_existing_identities]
}

run "no_default_configuration_set_is_reported" {
  command = plan

  override_data {
    target = data.aws_sesv2_email_identity.existing["example.com/eu-west-1"]
    values = { configuration_set_name = "" }
  }

  assert {
    condition     = output.default_configuration_sets["example.com/eu-west-1"] == "none"
    error_message = "The output must show that there is none."
  }

  expect_failures = [check.default_configuration_set_of_existing_identities]
}

run "a_set_that_does_not_send_or_measure_is_reported" {
  command = plan

  override_data {
    target = data.aws_sesv2_configuration_set.existing["eu-west-1"]
    values = { sending_options = [{ sending_enabled = false }], reputation_options = [] }
  }

  expect_failures = [check.existing_configuration_set]
}

run "an_existing_identity_is_one_of_the_domains" {
  command = plan

  variables {
    existing_identities = ["example.org"]
  }

  expect_failures = [var.existing_identities]
}
