# Widgets of each region that sends mail. SES metrics exist per region.
locals {
  sending_widgets = {
    for region in var.smtp_regions : region => {
      type = "metric"
      properties = {
        title  = "Mail in ${region}, and delivery rate (%, right)"
        region = region
        stat   = "Sum"
        period = 3600
        yAxis  = { left = { min = 0 }, right = { min = 0, max = 100 } }
        metrics = concat(
          [for metric in ["Send", "Delivery", "Bounce", "Complaint"] : ["AWS/SES", metric, { id = lower(metric) }]],
          [[{ expression = "100 * delivery / send", label = "delivered (right)", id = "rate", yAxis = "right" }]],
        )
      }
    }
  }

  # Who caused what: the saved query `mail problems by user`.
  problem_widgets = {
    for region in var.smtp_regions : region => {
      type = "log"
      properties = {
        title  = "Bounces, complaints, rejects and delays in ${region}, by user"
        region = region
        view   = "table"
        query  = "SOURCE '${local.mail_log_group}' | ${trimspace(local.mail_by_user)}"
      }
    }
  }

  reputation_widgets = {
    for region in var.smtp_regions : region => {
      type = "metric"
      properties = {
        title  = "Bounce and complaint rate in ${region} (%)"
        region = region
        stat   = "Average"
        period = 3600
        yAxis  = { left = { min = 0 }, right = { min = 0 } }
        metrics = [
          [{ expression = "100 * bounces", label = "bounces (left)", id = "bounce_rate" }],
          [{ expression = "100 * complaints", label = "complaints (right)", id = "complaint_rate", yAxis = "right" }],
          ["AWS/SES", "Reputation.BounceRate", { id = "bounces", visible = false }],
          ["AWS/SES", "Reputation.ComplaintRate", { id = "complaints", visible = false }],
        ]
        annotations = {
          horizontal = [
            { label = "bounce warning", value = 100 * var.thresholds.bounce_rate_warning },
            { label = "bounce alarm", value = 100 * var.thresholds.bounce_rate },
            { label = "complaint warning", value = 100 * var.thresholds.complaint_rate_warning, yAxis = "right" },
            { label = "complaint alarm", value = 100 * var.thresholds.complaint_rate, yAxis = "right" },
          ]
        }
      }
    }
  }
}
