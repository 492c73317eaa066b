output "functions" {
  description = "The functions manager, dead_letter and sweep, each with its name and log group."
  value = {
    for role, function in aws_lambda_function.function :
    role => { name = function.function_name, log_group = aws_cloudwatch_log_group.function[role].name }
  }
}

output "function_role_arns" {
  description = "ARN of the role of each function."
  value       = { for function, role in aws_iam_role.function : function => role.arn }
}

output "table_name" {
  description = "Name of the table that holds the records."
  value       = var.table_name
}

output "table_arn" {
  description = "ARN of the table that holds the records."
  value       = local.table_arn
}

output "stream_arn" {
  description = "ARN of the table's stream."
  value       = local.stream_arn
}

output "key_arn" {
  description = "ARN of the KMS key that encrypts the credentials."
  value       = aws_kms_key.credentials.arn
}

output "boundary_arn" {
  description = "ARN of the permissions boundary of every SMTP user."
  value       = aws_iam_policy.boundary.arn
}

output "table_key_arn" {
  description = "ARN of the KMS key of an existing table; null where DynamoDB's own key encrypts it."
  value       = local.table_key_arn
}

output "table_key_policies" {
  description = "Policy that lets a role read and write an existing table with a KMS key: a list with one JSON document, or none."
  value       = local.table_key
}

output "external_reader_role_arn" {
  description = "ARN of the role that the credential readers of other accounts assume; null without any."
  value       = one(aws_iam_role.external_reader[*].arn)
}

output "dead_letter_queue_name" {
  description = "Name of the queue for batches that the stream mapping failed to deliver."
  value       = aws_sqs_queue.dead_letters.name
}

output "parking_queue_name" {
  description = "Name of the queue for dead letters whose retries are exhausted."
  value       = aws_sqs_queue.parking.name
}

output "reader_policy_arn" {
  description = "ARN of the policy to attach to the roles of credential readers."
  value       = aws_iam_policy.reader.arn
}

output "operator_policy_arn" {
  description = "ARN of the policy to attach to the roles of on-call operators."
  value       = aws_iam_policy.operator.arn
}
