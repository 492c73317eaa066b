# Metrics that the functions publish in the embedded metric format: reconciler/manager/handlers/telemetry.py.
locals {
  metric_namespace  = "SmtpUsers"
  metric_dimensions = { environment = var.environment, service = var.metric_service }

  # The results of processing one user, including retries.
  user_metrics = ["UserActive", "UserDisabled", "UserFailed", "UserRemoved", "UserRetried"]

  # Drift that the sweep repaired or could not repair, and orphans: IAM users without a record.
  sweep_metrics = [
    "SweepRepaired", "SweepErrors", "SweepQuarantined", "SweepOrphans", "SweepOrphansRemoved", "SweepOrphansHeld",
  ]

  # What every run of the sweep finds, in full: numbers of records or of regions, and 0 or 1 for the trigger.
  sweep_state_metrics = [
    "SweepFailed", "SweepMissed", "SweepTriggerBroken", "SweepUnmanaged", "SweepSesSandbox", "SweepSesPaused", "SweepSesReview",
  ]
}
