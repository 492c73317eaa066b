# Topics for alarms. An alarm can notify only a topic in its own region, so each region has one.
#
# Do not encrypt them with alias/aws/sns: CloudWatch cannot use that key and its policy cannot be changed, so alarms would be
# lost silently. A customer-managed key works, but has a fixed cost of one dollar per month and region. SNS stores messages on
# encrypted disks anyway, and an alarm contains no secret. To use an existing key, set topic_kms_keys.
resource "aws_sns_topic" "operators" {
  # checkov:skip=CKV_AWS_26:with alias/aws/sns messages would be lost; a customer-managed key has a fixed cost; see topic_kms_keys
  for_each = toset(local.regions)

  region            = each.key
  name              = "${local.name}-operators"
  display_name      = "SMTP users ${var.environment}"
  kms_master_key_id = lookup(var.topic_kms_keys, each.key, null)
}

# Only alarms of this environment in this account may publish. This replaces the default policy, under which every
# principal of the account may publish.
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
