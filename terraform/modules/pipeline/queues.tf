# What the stream mapping gives up on arrives in the first queue; what stays unread there is parked in the second.
resource "aws_sqs_queue" "dead_letters" {
  name                       = local.names.dead_letter_queue
  sqs_managed_sse_enabled    = true
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 6 * var.pipeline.function.timeout_seconds # AWS asks for six times the function's

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.parking.arn
    maxReceiveCount     = 5
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
