# What the functions report themselves, in embedded metric format: reconciler/manager/handlers/telemetry.py.
locals {
  metric_namespace  = "SmtpUsers"
  metric_dimensions = { environment = var.environment, service = var.metric_service }

  # How one look at a user can end, and that it is tried again.
  user_metrics = ["UserActive", "UserDisabled", "UserFailed", "UserRemoved", "UserRetried"]

  # What became of a user's drift, and of IAM users without a row.
  sweep_metrics = [
    "SweepRepaired", "SweepErrors", "SweepQuarantined", "SweepOrphans", "SweepOrphansRemoved", "SweepOrphansHeld",
  ]
}
