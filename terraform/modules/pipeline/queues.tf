# What the stream mapping gives up on arrives in the first queue, where a function works it off, one message per user. What
# that gives up on too, it puts into the second: parked, for a person to look at.
resource "aws_sqs_queue" "dead_letters" {
  name                       = local.names.dead_letter_queue
  sqs_managed_sse_enabled    = true
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 6 * var.pipeline.functions.dead_letter.timeout_seconds # AWS asks for six times the function's

  # A net for a function that dies each time, and so never counts its own tries to their end.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.parking.arn
    maxReceiveCount     = var.pipeline.dead_letters.tries + 2
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
