# Saved queries over the mail events, in each region that sends mail. Replace the words in capitals.
locals {
  # An event can have more fields than Logs Insights reads (200), because it contains the headers of the message. The tags come
  # after the headers, so they are taken from the text. A header cannot imitate a tag: its quotes are escaped.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
  mail_user = "parse @message /\"ses:caller-identity\"\\s*:\\s*\\[\\s*\"${local.name}-(?<smtp_user>[^\"]+)\"/"
  mail_iam  = "parse @message /\"ses:caller-identity\"\\s*:\\s*\\[\\s*\"(?<iam_user>[^\"]+)\"/"
  mail_ip   = "parse @message /\"ses:source-ip\"\\s*:\\s*\\[\\s*\"(?<source_ip>[^\"]+)\"/"

  mail_by_user = <<-EOT
    fields `detail-type` as event
    | ${local.mail_user}
    | ${local.mail_iam}
    | stats count(*) as events by smtp_user, iam_user, event
    | sort events desc
    | limit 100
  EOT

  mail_queries = {
    "mail problems by user" = local.mail_by_user

    "mail problems of user NAME" = <<-EOT
      fields @timestamp, `detail-type` as event, detail.bounce.bounceType as bounce_type
      | fields coalesce(detail.bounce.bouncedRecipients.0.emailAddress, detail.complaint.complainedRecipients.0.emailAddress, detail.deliveryDelay.delayedRecipients.0.emailAddress, detail.mail.destination.0) as recipient
      | fields detail.mail.source as sender, detail.mail.messageId as message_id
      | ${local.mail_user}
      | ${local.mail_ip}
      | filter smtp_user = "NAME"
      | sort @timestamp desc
      | limit 500
    EOT
  }
}

resource "aws_cloudwatch_query_definition" "mail" {
  for_each = {
    for pair in setproduct(keys(local.mail_queries), var.smtp_regions) :
    "${pair[0]}/${pair[1]}" => { query = pair[0], region = pair[1] }
  }

  region          = each.value.region
  name            = "smtp-users/${var.environment}/${each.value.query}"
  log_group_names = [aws_cloudwatch_log_group.mail[each.value.region].name]
  query_string    = trimspace(local.mail_queries[each.value.query])
}
