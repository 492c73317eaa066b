# The table that holds the records: created, or an existing table that is only read.
locals {
  table      = one(concat(aws_dynamodb_table.records, data.aws_dynamodb_table.existing))
  table_arn  = local.table.arn
  stream_arn = local.table.stream_arn # of the current stream: disabling and enabling it creates another one
}

resource "aws_dynamodb_table" "records" {
  #checkov:skip=CKV_AWS_119:A customer-managed key already encrypts the credentials; the AWS-managed key protects the rest.
  count = var.existing_table ? 0 : 1

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

data "aws_dynamodb_table" "existing" {
  count = var.existing_table ? 1 : 0

  name = var.table_name

  lifecycle {
    postcondition {
      condition = self.hash_key == "PK" && self.range_key == "SK" && alltrue([
        for attribute in self.attribute : attribute.type == "S" if contains(["PK", "SK"], attribute.name)
      ])
      error_message = "Table ${var.table_name} must have the partition key PK and the sort key SK, both strings. The keys of a table cannot be changed: use another table."
    }

    postcondition {
      condition     = self.stream_enabled
      error_message = "Table ${var.table_name} has no stream. Enable it: aws dynamodb update-table --table-name ${var.table_name} --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
    }

    postcondition {
      condition     = !self.stream_enabled || self.stream_view_type == "NEW_AND_OLD_IMAGES"
      error_message = "The stream of table ${var.table_name} has the view type ${coalesce(self.stream_view_type, "none")} instead of NEW_AND_OLD_IMAGES. The view type of a stream cannot be changed: disable the stream (aws dynamodb update-table --table-name ${var.table_name} --stream-specification StreamEnabled=false), then enable it with StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES. The new stream has another ARN, which its other readers need."
    }
  }
}

# DynamoDB decrypts an existing table's key with the permissions of the caller, who therefore needs kms:Decrypt, and only through
# DynamoDB and only for this table. With the AWS-managed key, the statement has no effect.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
locals {
  table_key_arn = try(coalesce(data.aws_dynamodb_table.existing[0].server_side_encryption[0].kms_key_arn), null)
  table_key     = local.table_key_arn == null ? [] : [data.aws_iam_policy_document.table_key[0].json]
}

data "aws_iam_policy_document" "table_key" {
  count = local.table_key_arn == null ? 0 : 1

  statement {
    sid       = "DecryptTable"
    actions   = ["kms:Decrypt"]
    resources = [local.table_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["dynamodb.${data.aws_region.current.region}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:dynamodb:tableName"
      values   = [var.table_name]
    }
  }
}
