# Keeps what happens to mail: SES → the region's default event bus → a rule → a log group. Each event contains the IAM user that
# sent the message, in the tag ses:caller-identity. SNS topics (feedback.tf) are for people; they store nothing.
# https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
locals {
  # Type of the event at SES, and its detail-type at EventBridge.
  mail_events = {
    BOUNCE            = "Email Bounced"
    COMPLAINT         = "Email Complaint Received"
    REJECT            = "Email Rejected"
    DELIVERY_DELAY    = "Email Delivery Delayed"
    RENDERING_FAILURE = "Email Rendering Failed"
  }

  mail_log_group  = "/aws/events/${local.name}-mail" # EventBridge writes only to log groups with this prefix
  mail_principals = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
}

resource "aws_cloudwatch_log_group" "mail" {
  # checkov:skip=CKV_AWS_158:the default encryption of CloudWatch Logs is free; a customer-managed key has a fixed cost
  for_each = toset(var.smtp_regions)

  region            = each.key
  name              = local.mail_log_group
  retention_in_days = var.log_retention_days
}

# The policy belongs to the log group. An account can have only ten that do not, per region.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
resource "aws_cloudwatch_log_resource_policy" "mail" {
  for_each = aws_cloudwatch_log_group.mail

  region       = each.key
  resource_arn = each.value.arn
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "CreateLogStreams"
        Effect    = "Allow"
        Principal = local.mail_principals
        Action    = "logs:CreateLogStream"
        Resource  = "${each.value.arn}:*"
      },
      {
        Sid       = "EventsOfOurRule"
        Effect    = "Allow"
        Principal = local.mail_principals
        Action    = "logs:PutLogEvents"
        Resource  = "${each.value.arn}:*"
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.mail[each.key].arn } }
      },
    ]
  })
}

resource "aws_cloudwatch_event_rule" "mail" {
  for_each = toset(var.smtp_regions)

  region      = each.key
  name        = "${local.name}-mail"
  description = "Bounces, complaints, rejects and delays of the configuration set ${var.configuration_set}"

  # SES adds the tags to every event. The pattern leaves out the events of other configuration sets.
  event_pattern = jsonencode({
    source        = ["aws.ses"]
    "detail-type" = sort(values(local.mail_events))
    detail        = { mail = { tags = { "ses:configuration-set" = [var.configuration_set] } } }
  })
}

resource "aws_cloudwatch_event_target" "mail" {
  for_each = aws_cloudwatch_event_rule.mail

  region = each.key
  rule   = each.value.name
  arn    = aws_cloudwatch_log_group.mail[each.key].arn

  depends_on = [aws_cloudwatch_log_resource_policy.mail]
}

resource "aws_sesv2_configuration_set_event_destination" "mail" {
  for_each = toset(var.smtp_regions)

  region                 = each.key
  configuration_set_name = var.configuration_set
  event_destination_name = "${local.name}-mail-log"

  event_destination {
    enabled              = true
    matching_event_types = keys(local.mail_events)

    event_bridge_destination {
      event_bus_arn = "arn:${local.partitions[each.key]}:events:${each.key}:${var.account_id}:event-bus/default" # SES accepts no other
    }
  }

  depends_on = [aws_cloudwatch_event_target.mail] # an event that is published before has no target and is lost
}
