# Values that AWS would return.
mock_data "aws_iam_policy_document" {
  defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_region" {
  defaults = { region = "eu-central-1" }
}

mock_data "aws_dynamodb_table" {
  defaults = {
    arn              = "arn:aws:dynamodb:eu-central-1:111122223333:table/platform"
    hash_key         = "PK"
    range_key        = "SK"
    attribute        = [{ name = "PK", type = "S" }, { name = "SK", type = "S" }]
    stream_enabled   = true
    stream_view_type = "NEW_AND_OLD_IMAGES"
    stream_arn       = "arn:aws:dynamodb:eu-central-1:111122223333:table/platform/stream/2026-01-15T09:30:00.000"
  }
}

mock_data "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/mail-administrators" }
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

override_resource {
  target = aws_iam_role.function["dead_letter"]
  values = { arn = "arn:aws:iam::111122223333:role/smtp-dead-letters-test" }
}

override_resource {
  target = aws_iam_role.function["sweep"]
  values = { arn = "arn:aws:iam::111122223333:role/smtp-sweep-test" }
}

override_resource {
  target = aws_lambda_function.function["dead_letter"]
  values = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:smtp-dead-letters-test" }
}

override_resource {
  target = aws_lambda_function.function["sweep"]
  values = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:smtp-sweep-test" }
}

override_resource {
  target = aws_cloudwatch_log_group.function["dead_letter"]
  values = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/smtp-dead-letters-test" }
}

override_resource {
  target = aws_cloudwatch_log_group.function["sweep"]
  values = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/smtp-sweep-test" }
}

override_resource {
  target = aws_sqs_queue.dead_letters
  values = {
    arn = "arn:aws:sqs:eu-central-1:111122223333:smtp-dead-letters-test"
    url = "https://sqs.eu-central-1.amazonaws.com/111122223333/smtp-dead-letters-test"
  }
}

override_resource {
  target = aws_sqs_queue.parking
  values = {
    arn = "arn:aws:sqs:eu-central-1:111122223333:smtp-parked-test"
    url = "https://sqs.eu-central-1.amazonaws.com/111122223333/smtp-parked-test"
  }
}
