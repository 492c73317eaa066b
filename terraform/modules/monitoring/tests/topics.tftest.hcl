# Who can publish to a topic, and what SES publishes.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment       = "test"
  account_id        = "111122223333"
  smtp_regions      = ["eu-central-1", "eu-west-1"]
  configuration_set = "smtp-test"
  functions = {
    manager     = { name = "smtp-credential-manager-test", log_group = "/aws/lambda/smtp-credential-manager-test" }
    dead_letter = { name = "smtp-dead-letters-test", log_group = "/aws/lambda/smtp-dead-letters-test" }
    sweep       = { name = "smtp-sweep-test", log_group = "/aws/lambda/smtp-sweep-test" }
  }
  dead_letter_queue_name = "smtp-dead-letters-test"
  parking_queue_name     = "smtp-parked-test"
  table_name             = "smtp-users-test"
  alarm_emails           = ["operators@example.com"]
}

run "only_alarms_of_this_account_can_publish_to_the_operators" {
  assert {
    condition = alltrue([
      for region, policy in aws_sns_topic_policy.operators : jsondecode(policy.policy).Statement == [{
        Sid       = "AlarmsOfThisEnvironment"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:${region}:111122223333:smtp-test-operators"
        Condition = {
          StringEquals = { "aws:SourceAccount" = "111122223333" }
          ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:${region}:111122223333:alarm:smtp-test-*" }
        }
      }]
    ])
    error_message = "The policy must have one statement: CloudWatch, for alarms of this environment, account and region."
  }

  assert {
    condition     = alltrue([for alarm in local.alarms : startswith(alarm.alarm_name, "smtp-test-")])
    error_message = "An alarm with another name prefix could not publish."
  }
}

run "only_ses_can_publish_bounces_and_complaints" {
  assert {
    condition = alltrue([
      for key, policy in aws_sns_topic_policy.feedback : jsondecode(policy.policy).Statement == [{
        Sid       = "EventsOfOurConfigurationSet"
        Effect    = "Allow"
        Principal = { Service = "ses.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:${split("/", key)[1]}:111122223333:smtp-test-${split("/", key)[0]}"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = "111122223333"
            "aws:SourceArn"     = "arn:aws:ses:${split("/", key)[1]}:111122223333:configuration-set/smtp-test"
          }
        }
      }]
    ])
    error_message = "The policy must have one statement: SES, for this account and the configuration set in the same region."
  }
}

run "bounces_and_complaints_go_to_their_own_topic_in_each_region" {
  assert {
    condition = toset([
      for destination in aws_sesv2_configuration_set_event_destination.feedback : join(" ", [
        destination.region, destination.configuration_set_name, destination.event_destination_name, join(",", destination.event_destination[0].matching_event_types),
        destination.event_destination[0].enabled, destination.event_destination[0].sns_destination[0].topic_arn,
      ])
      ]) == toset([
      "eu-central-1 smtp-test smtp-test-bounces BOUNCE true ${output.bounce_topic_arns["eu-central-1"]}",
      "eu-central-1 smtp-test smtp-test-complaints COMPLAINT true ${output.complaint_topic_arns["eu-central-1"]}",
      "eu-west-1 smtp-test smtp-test-bounces BOUNCE true ${output.bounce_topic_arns["eu-west-1"]}",
      "eu-west-1 smtp-test smtp-test-complaints COMPLAINT true ${output.complaint_topic_arns["eu-west-1"]}",
    ])
    error_message = "SES can publish only to a topic in its own region."
  }

  assert {
    condition = (
      output.bounce_topic_arns == { for region in var.smtp_regions : region => "arn:aws:sns:${region}:111122223333:smtp-test-bounces" } &&
      output.complaint_topic_arns == { for region in var.smtp_regions : region => "arn:aws:sns:${region}:111122223333:smtp-test-complaints" } &&
      output.operators_topic_arn == "arn:aws:sns:eu-central-1:111122223333:smtp-test-operators"
    )
    error_message = "The outputs must contain the topics of each region."
  }
}

run "no_topic_is_encrypted_by_default" {
  assert {
    condition = alltrue([
      for topic in concat(values(aws_sns_topic.operators), values(aws_sns_topic.feedback)) : topic.kms_master_key_id == null
    ])
    error_message = "With alias/aws/sns every alarm, bounce and complaint would be lost."
  }
}

run "the_aws_managed_key_is_rejected" {
  command = plan

  variables {
    topic_kms_keys = { eu-central-1 = "alias/aws/sns" }
  }

  expect_failures = [var.topic_kms_keys]
}
