# The trigger of the credential manager: the table's stream.
resource "aws_lambda_event_source_mapping" "stream" {
  function_name                  = aws_lambda_function.function["manager"].arn
  event_source_arn               = local.stream_arn
  starting_position              = var.pipeline.mapping.starting_position
  batch_size                     = var.pipeline.mapping.batch_size
  maximum_retry_attempts         = var.pipeline.mapping.maximum_retry_attempts
  maximum_record_age_in_seconds  = var.pipeline.mapping.maximum_record_age_seconds
  bisect_batch_on_function_error = var.pipeline.mapping.bisect_batch_on_function_error
  parallelization_factor         = var.pipeline.mapping.parallelization_factor
  function_response_types        = var.pipeline.mapping.function_response_types

  filter_criteria {
    dynamic "filter" {
      for_each = var.pipeline.mapping.filters

      content {
        pattern = jsonencode(filter.value)
      }
    }
  }

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead_letters.arn
    }
  }

  depends_on = [aws_iam_role_policy.function]
}

# The trigger of the dead-letter function: the queue of users that must be retried, and of batches that the stream mapping failed
# to deliver.
resource "aws_lambda_event_source_mapping" "dead_letters" {
  function_name           = aws_lambda_function.function["dead_letter"].arn
  event_source_arn        = aws_sqs_queue.dead_letters.arn
  batch_size              = var.pipeline.dead_letters.batch_size
  function_response_types = var.pipeline.dead_letters.function_response_types

  scaling_config {
    maximum_concurrency = var.pipeline.dead_letters.maximum_concurrency
  }

  depends_on = [aws_iam_role_policy.function]
}
