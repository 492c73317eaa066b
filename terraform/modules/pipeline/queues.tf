# The credential manager leaves users that must be retried to the dead-letter queue, and the stream mapping sends batches that it
# failed to deliver. A function processes them there, one message per user. When its retries are exhausted, it moves the message
# to the parking queue, where an operator handles it.
resource "aws_sqs_queue" "dead_letters" {
  name                       = local.names.dead_letter_queue
  sqs_managed_sse_enabled    = true
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 6 * var.pipeline.functions.dead_letter.timeout_seconds # AWS recommends six times the function's timeout

  # Fallback for a function that crashes in every invocation and therefore never parks the message itself. Each retry of a user is
  # a new message, so retries and throttling of AWS never reach this number.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.parking.arn
    maxReceiveCount     = var.pipeline.dead_letters.max_receives
  })
}

resource "aws_sqs_queue" "parking" {
  name                      = local.names.parking_queue
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_redrive_allow_policy" "parking" {
  queue_url = aws_sqs_queue.parking.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = ["arn:${local.partition}:sqs:${data.aws_region.current.region}:${var.account_id}:${local.names.dead_letter_queue}"]
  })
}
