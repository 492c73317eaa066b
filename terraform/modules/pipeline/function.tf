resource "aws_cloudwatch_log_group" "manager" {
  #checkov:skip=CKV_AWS_158:No secret is ever logged; encryption at rest by CloudWatch Logs is enough, and free.
  name              = "/aws/lambda/${local.names.function}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "manager" {
  #checkov:skip=CKV_AWS_117:It calls public AWS endpoints only; a VPC would add standing cost (endpoints or NAT).
  #checkov:skip=CKV_AWS_272:The zip is reproducible and compared by hash; code signing needs a signing profile per account.
  #checkov:skip=CKV_AWS_116:A stream mapping's dead letters go to the mapping's own destination, not to the function's.
  #checkov:skip=CKV_AWS_173:Its variables are names and ARNs, no secrets.
  #checkov:skip=CKV_AWS_115:Reserved concurrency is a variable: an account has only so much of it.
  function_name                  = local.names.function
  description                    = "Makes the IAM users behind the SMTP users of ${var.environment}"
  role                           = aws_iam_role.manager.arn
  handler                        = var.pipeline.function.handler
  runtime                        = var.pipeline.function.runtime
  architectures                  = ["arm64"]
  filename                       = var.code
  source_code_hash               = filebase64sha256(var.code)
  timeout                        = var.pipeline.function.timeout_seconds
  memory_size                    = var.pipeline.function.memory_mb
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = {
      ENVIRONMENT              = var.environment
      ACCOUNT_ID               = var.account_id
      TABLE_NAME               = var.table_name
      KMS_KEY_ARN              = aws_kms_key.credentials.arn
      PERMISSIONS_BOUNDARY_ARN = aws_iam_policy.boundary.arn
      CONFIGURATION_SET        = var.configuration_set
      SMTP_REGIONS             = join(",", var.smtp_regions)
      ALLOWED_DOMAINS          = join(",", sort(var.allowed_domains))
      ALLOW_WILDCARDS          = tostring(var.allow_wildcards)
    }
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "INFO" # platform.report: durations of single invocations
    log_group             = aws_cloudwatch_log_group.manager.name
  }

  tracing_config {
    mode = "Active"
  }
}
