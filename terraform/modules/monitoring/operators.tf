# Where alarms go. An alarm can notify only a topic of its own region, so each region has one.
#
# Not encrypted with alias/aws/sns: CloudWatch may not use that key and its policy cannot be changed, so alarms would be
# lost without a word. A key of our own would work and cost a dollar a month per region, a standing cost. SNS keeps
# messages on encrypted disks anyway, and an alarm holds no secret. Who has a key already names it in topic_kms_keys.
resource "aws_sns_topic" "operators" {
  # checkov:skip=CKV_AWS_26:alias/aws/sns would lose messages, a key of our own costs while idle; see topic_kms_keys
  for_each = toset(local.regions)

  region            = each.key
  name              = "${local.name}-operators"
  display_name      = "SMTP users ${var.environment}"
  kms_master_key_id = lookup(var.topic_kms_keys, each.key, null)
  tags              = var.tags
}

# Only alarms of this environment in this account. Replaces the default policy, which lets the whole account publish.
resource "aws_sns_topic_policy" "operators" {
  for_each = aws_sns_topic.operators

  region = each.key
  arn    = each.value.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisEnvironment"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = each.value.arn
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike = {
          "aws:SourceArn" = "arn:${local.partitions[each.key]}:cloudwatch:${each.key}:${var.account_id}:alarm:${local.name}-*"
        }
      }
    }]
  })
}

resource "aws_sns_topic_subscription" "operators" {
  for_each = {
    for pair in setproduct(local.regions, toset(var.alarm_emails)) :
    "${pair[0]}/${pair[1]}" => { region = pair[0], address = pair[1] }
  }

  region    = each.value.region
  topic_arn = aws_sns_topic.operators[each.value.region].arn
  protocol  = "email"
  endpoint  = each.value.address
}
