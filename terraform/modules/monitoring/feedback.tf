# Bounces and complaints for people and programs that subscribe; mail_events.tf keeps them.
# For encryption see operators.tf: SES cannot use alias/aws/sns either.
locals {
  feedback_events = { bounces = "BOUNCE", complaints = "COMPLAINT" }

  feedback = {
    for pair in setproduct(keys(local.feedback_events), var.smtp_regions) :
    "${pair[0]}/${pair[1]}" => { kind = pair[0], region = pair[1] }
  }
}

resource "aws_sns_topic" "feedback" {
  # checkov:skip=CKV_AWS_26:with alias/aws/sns messages would be lost; a customer-managed key has a fixed cost; see topic_kms_keys
  for_each = local.feedback

  region            = each.value.region
  name              = "${local.name}-${each.value.kind}"
  kms_master_key_id = lookup(var.topic_kms_keys, each.value.region, null)
}

# Only SES may publish, for this account and this configuration set.
resource "aws_sns_topic_policy" "feedback" {
  for_each = local.feedback

  region = each.value.region
  arn    = aws_sns_topic.feedback[each.key].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventsOfOurConfigurationSet"
      Effect    = "Allow"
      Principal = { Service = "ses.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.feedback[each.key].arn
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = var.account_id
          "aws:SourceArn" = join(":", [
            "arn", local.partitions[each.value.region], "ses", each.value.region, var.account_id,
            "configuration-set/${var.configuration_set}",
          ])
        }
      }
    }]
  })
}

resource "aws_sesv2_configuration_set_event_destination" "feedback" {
  for_each = local.feedback

  region                 = each.value.region
  configuration_set_name = var.configuration_set
  event_destination_name = "${local.name}-${each.value.kind}" # the set may have destinations of others

  event_destination {
    enabled              = true
    matching_event_types = [local.feedback_events[each.value.kind]]

    sns_destination {
      topic_arn = aws_sns_topic.feedback[each.key].arn
    }
  }

  # SES checks its permission to publish whenever the destination is created or changed.
  depends_on = [aws_sns_topic_policy.feedback]
}
