locals {
  creates_table = var.existing_table_stream_arn == null
  table_arn     = local.creates_table ? aws_dynamodb_table.records[0].arn : split("/stream/", var.existing_table_stream_arn)[0]
  stream_arn    = local.creates_table ? aws_dynamodb_table.records[0].stream_arn : var.existing_table_stream_arn
}

resource "aws_dynamodb_table" "records" {
  #checkov:skip=CKV_AWS_119:A customer-managed key already encrypts the credentials; the AWS-managed key protects the rest.
  count = local.creates_table ? 1 : 0

  name                        = var.table_name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  stream_enabled              = true
  stream_view_type            = "NEW_AND_OLD_IMAGES"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "PK"
    type = "S"
  }

  attribute {
    name = "SK"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}
