# X-Ray groups: each publishes one metric, the number of its traces, and filters the trace map and the list of traces.
# https://docs.aws.amazon.com/xray/latest/devguide/xray-console-groups.html
locals {
  slow_seconds = 5

  # Every processed record is annotated with the environment (reconciler/manager/handlers/telemetry.py). The sweep, and a
  # function that fails before it processes a record, have only the function's name.
  own_traces = join(" OR ", concat(
    ["annotation.environment = \"${var.environment}\""],
    [for role in sort(keys(var.functions)) : "service(\"${var.functions[role].name}\")"],
  ))

  trace_groups = {
    all    = { name = local.name, filter = local.own_traces }
    faults = { name = "${local.name}-faults", filter = "fault = true AND (${local.own_traces})" }
    slow   = { name = "${local.name}-slow", filter = "responsetime > ${local.slow_seconds} AND (${local.own_traces})" }
  }
}

resource "aws_xray_group" "this" {
  for_each = local.trace_groups

  region            = local.home_region
  group_name        = each.value.name
  filter_expression = each.value.filter
}
