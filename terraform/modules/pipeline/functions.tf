# Three functions that share one zip, one runtime and their settings. own_settings holds the settings of only one function.
locals {
  functions = {
    for role, function in var.pipeline.functions :
    role => merge(function, { name = replace(function.name, "{env}", var.environment) })
  }

  descriptions = {
    manager     = "Creates, updates and deletes the IAM users of the SMTP users of ${var.environment}"
    dead_letter = "Retries the users of ${var.environment} that could not be processed at once"
    sweep       = "Hourly full reconciliation of all SMTP users of ${var.environment}"
  }

  settings = {
    ENVIRONMENT              = var.environment
    ACCOUNT_ID               = var.account_id
    TABLE_NAME               = var.table_name
    KMS_KEY_ARN              = aws_kms_key.credentials.arn
    PERMISSIONS_BOUNDARY_ARN = aws_iam_policy.boundary.arn
    CONFIGURATION_SET        = var.configuration_set
    SMTP_REGIONS             = join(",", var.smtp_regions)
    ALLOWED_DOMAINS          = join(",", sort(var.allowed_domains))
    ALLOW_WILDCARDS          = tostring(var.allow_wildcards)
    IAM_USER_TAGS            = jsonencode(var.iam_user_tags)
  }

  own_settings = {
    manager = {
      DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
    }
    dead_letter = {
      DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
      PARKING_QUEUE_URL     = aws_sqs_queue.parking.url
      DEAD_LETTER_TRIES     = tostring(var.pipeline.dead_letters.tries)
      TABLE_ARN             = local.table_arn
      STREAM_BATCH_SIZE     = tostring(var.pipeline.mapping.batch_size)
    }
    sweep = {
      MANAGER_FUNCTION    = local.functions.manager.name
      SWEEP_USERS_PER_RUN = tostring(var.pipeline.sweep.users_per_run)
      MAX_ORPHANS         = tostring(var.max_orphans)
      MAX_ORPHAN_PERCENT  = tostring(var.max_orphan_percent)
      WIDE_READS          = tostring(var.wide_reads)
    }
  }
}

# Lambda limits the environment variables of a function to 4,096 bytes, names and values as one JSON text. The values that AWS
# assigns are not known in the first plan, but their length is.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
locals {
  region = data.aws_region.current.region

  assigned = {
    KMS_KEY_ARN              = "arn:${local.partition}:kms:${local.region}:${var.account_id}:key/00000000-0000-0000-0000-000000000000"
    PERMISSIONS_BOUNDARY_ARN = "arn:${local.partition}:iam::${var.account_id}:policy/${local.names.boundary}"
    TABLE_ARN                = "arn:${local.partition}:dynamodb:${local.region}:${var.account_id}:table/${var.table_name}"
    DEAD_LETTER_QUEUE_URL    = "https://sqs.${local.region}.amazonaws.com/${var.account_id}/${local.names.dead_letter_queue}"
    PARKING_QUEUE_URL        = "https://sqs.${local.region}.amazonaws.com/${var.account_id}/${local.names.parking_queue}"
  }

  settings_bytes = {
    for role, own in local.own_settings : role => ceil(length(base64encode(jsonencode({
      for name, value in merge(local.settings, own) : name => lookup(local.assigned, name, value)
    }))) * 3 / 4)
  }
}

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_158:No secret is ever logged; the default encryption of CloudWatch Logs is sufficient and free.
  for_each = local.functions

  name              = "/aws/lambda/${each.value.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "function" {
  #checkov:skip=CKV_AWS_117:The functions call only public AWS endpoints; a VPC would add a fixed cost (endpoints or NAT).
  #checkov:skip=CKV_AWS_272:The zip is reproducible and compared by hash; code signing requires a signing profile per account.
  #checkov:skip=CKV_AWS_116:Both mappings keep failed events in queues; the next sweep finds what a sweep misses.
  #checkov:skip=CKV_AWS_173:The variables contain names, ARNs and numbers, no secrets.
  #checkov:skip=CKV_AWS_115:Reserved concurrency is a variable because the account's concurrency is limited.
  for_each = local.functions

  function_name                  = each.value.name
  description                    = local.descriptions[each.key]
  role                           = aws_iam_role.function[each.key].arn
  handler                        = each.value.handler
  runtime                        = var.pipeline.runtime
  architectures                  = ["arm64"]
  filename                       = var.code
  source_code_hash               = filebase64sha256(var.code)
  timeout                        = each.value.timeout_seconds
  memory_size                    = each.value.memory_mb
  reserved_concurrent_executions = lookup(var.reserved_concurrency, each.key, -1)

  environment {
    variables = merge(local.settings, local.own_settings[each.key])
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "INFO" # platform.report events contain the duration of each invocation
    log_group             = aws_cloudwatch_log_group.function[each.key].name
  }

  tracing_config {
    mode = "Active"
  }

  lifecycle {
    precondition {
      condition     = local.settings_bytes[each.key] <= 4096
      error_message = "The settings of function ${each.value.name} have ${local.settings_bytes[each.key]} bytes, and Lambda allows 4,096. allowed_domains (${length(var.allowed_domains)} domains) and iam_user_tags are part of them: use fewer or several environments."
    }
  }
}
