# Widgets of each region that sends mail. SES metrics exist per region.
locals {
  sending_widgets = {
    for region in var.smtp_regions : region => {
      type = "metric"
      properties = {
        title   = "Mail in ${region}"
        region  = region
        stat    = "Sum"
        period  = 3600
        metrics = [for metric in ["Send", "Delivery", "Bounce", "Complaint"] : ["AWS/SES", metric]]
      }
    }
  }

  delivery_widgets = {
    for region in var.smtp_regions : region => {
      type = "metric"
      properties = {
        title  = "Delivery rate in ${region} (%)"
        region = region
        stat   = "Sum"
        period = 3600
        yAxis  = { left = { min = 0, max = 100 } }
        metrics = [
          [{ expression = "100 * delivered / sent", label = "delivered", id = "rate" }],
          ["AWS/SES", "Delivery", { id = "delivered", visible = false }],
          ["AWS/SES", "Send", { id = "sent", visible = false }],
        ]
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
            { label = "bounce alarm", value = 100 * var.bounce_rate_threshold },
            { label = "complaint alarm", value = 100 * var.complaint_rate_threshold, yAxis = "right" },
          ]
        }
      }
    }
  }
}
