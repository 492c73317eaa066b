output "functions" {
  description = "The functions: manager, dead_letter and sweep, with name and log group of each."
  value = {
    for role, function in aws_lambda_function.function :
    role => { name = function.function_name, log_group = aws_cloudwatch_log_group.function[role].name }
  }
}

output "function_role_arns" {
  description = "Function to its role."
  value       = { for function, role in aws_iam_role.function : function => role.arn }
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
  description = "Where dead letters end that could not be worked off."
  value       = aws_sqs_queue.parking.name
}

output "reader_policy_arn" {
  description = "Policy to attach to the roles that may read credentials."
  value       = aws_iam_policy.reader.arn
}

output "operator_policy_arn" {
  description = "Policy to attach to the roles of people on call."
  value       = aws_iam_policy.operator.arn
}
