# Widgets of the credential manager, the dead-letter processor and the sweep.
locals {
  own_metrics = {
    for metric in concat(
      local.user_metrics, local.sweep_metrics, local.sweep_state_metrics, ["DeadLetterParked", "SweepChecked", "SweepRounds"],
    ) :
    metric => concat([local.metric_namespace, metric], flatten([for key, value in local.metric_dimensions : [key, value]]))
  }

  user_widget = {
    type = "metric"
    properties = {
      title   = "Credential operations"
      region  = local.home_region
      stat    = "Sum"
      period  = 300
      metrics = [for metric in local.user_metrics : local.own_metrics[metric]]
    }
  }

  queue_widget = {
    type = "metric"
    properties = {
      title  = "Queue depth"
      region = local.home_region
      stat   = "Maximum"
      period = 300
      metrics = [
        for queue in [var.dead_letter_queue_name, var.parking_queue_name] :
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue]
      ]
    }
  }

  age_widget = {
    type = "metric"
    properties = {
      title   = "Iterator age (ms)"
      region  = local.home_region
      stat    = "Maximum"
      period  = 300
      metrics = [["AWS/Lambda", "IteratorAge", "FunctionName", var.functions["manager"].name]]
      annotations = {
        horizontal = [{ label = "alarm", value = var.thresholds.iterator_age_minutes * 60 * 1000 }]
      }
    }
  }

  sweep_widget = {
    type = "metric"
    properties = {
      title   = "Sweep: drift and orphans"
      region  = local.home_region
      stat    = "Sum"
      period  = 3600
      metrics = [for metric in local.sweep_metrics : local.own_metrics[metric]]
    }
  }

  # States that are 0 or 1, and those of SES that need a person, are alarms; a new account starts in the SES sandbox, so that
  # state has no alarm. At most 50 metrics are free on a dashboard.
  state_widget = {
    type = "metric"
    properties = {
      title   = "Sweep: failed users, missed events, unmanaged grants, regions in the SES sandbox"
      region  = local.home_region
      stat    = "Maximum"
      period  = 3600
      metrics = [for metric in ["SweepFailed", "SweepMissed", "SweepUnmanaged", "SweepSesSandbox"] : local.own_metrics[metric]]
    }
  }

  round_widget = {
    type = "metric"
    properties = {
      title  = "Sweep: users checked (left) and completed rounds (right)"
      region = local.home_region
      stat   = "Sum"
      period = 3600
      yAxis  = { left = { min = 0 }, right = { min = 0 } }
      metrics = [
        local.own_metrics["SweepChecked"],
        concat(local.own_metrics["SweepRounds"], [{ yAxis = "right" }]),
      ]
    }
  }

  dead_letter_widget = {
    type = "metric"
    properties = {
      title   = "Parked dead letters"
      region  = local.home_region
      stat    = "Sum"
      period  = 300
      metrics = [local.own_metrics["DeadLetterParked"]]
    }
  }

  error_widget = {
    type = "metric"
    properties = {
      title  = "Function errors and throttles"
      region = local.home_region
      stat   = "Sum"
      period = 300
      metrics = concat([
        for metric in ["Errors", "Throttles"] : [
          for role, function in var.functions :
          ["AWS/Lambda", metric, "FunctionName", function.name, { label = "${local.roles[role]} ${lower(metric)}" }]
        ]
      ]...)
    }
  }

  duration_widget = {
    type = "metric"
    properties = {
      title  = "Function duration: p50 and p99 (ms)"
      region = local.home_region
      period = 300
      metrics = concat([
        for stat in ["p50", "p99"] : [
          for role, function in var.functions :
          ["AWS/Lambda", "Duration", "FunctionName", function.name, { stat = stat, label = "${local.roles[role]} ${stat}" }]
        ]
      ]...)
    }
  }

  table_widget = {
    type = "metric"
    properties = {
      title  = "Table throttling"
      region = local.home_region
      stat   = "Sum"
      period = 300
      metrics = [
        for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : ["AWS/DynamoDB", metric, "TableName", var.table_name]
      ]
    }
  }
}
