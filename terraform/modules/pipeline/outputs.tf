output "function_name" {
  description = "The credential manager."
  value       = aws_lambda_function.manager.function_name
}

output "log_group" {
  description = "Where the credential manager logs."
  value       = aws_cloudwatch_log_group.manager.name
}

output "manager_role_arn" {
  description = "The role of the credential manager."
  value       = aws_iam_role.manager.arn
}

output "table_name" {
  description = "The table of the records."
  value       = var.table_name
}

output "table_arn" {
  description = "ARN of the table of the records."
  value       = local.table_arn
}

output "stream_arn" {
  description = "ARN of the table's stream."
  value       = local.stream_arn
}

output "key_arn" {
  description = "The KMS key of the credentials."
  value       = aws_kms_key.credentials.arn
}

output "boundary_arn" {
  description = "The permissions boundary of every SMTP user."
  value       = aws_iam_policy.boundary.arn
}

output "dead_letter_queue_name" {
  description = "Where the stream mapping sends what it gives up on."
  value       = aws_sqs_queue.dead_letters.name
}

output "parking_queue_name" {
  description = "Where dead letters end that nobody could work off."
  value       = aws_sqs_queue.parking.name
}

output "reader_policy_arn" {
  description = "Policy to attach to the roles that may read credentials."
  value       = aws_iam_policy.reader.arn
}
