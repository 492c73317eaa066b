# Who can do what.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment        = "test"
  account_id         = "111122223333"
  pipeline           = yamldecode(file("../../../reconciler/pipeline/pipeline.yaml"))
  table_name         = "smtp-users-test"
  configuration_set  = "smtp-test"
  smtp_regions       = ["eu-central-1", "eu-west-1"]
  allowed_domains    = ["example.com"]
  code               = "tests/code.zip"
  max_orphans        = 5
  max_orphan_percent = 50
}

run "each_function_has_only_the_permissions_of_its_own_task" {
  command = plan

  assert {
    condition = {
      for role, document in {
        manager     = data.aws_iam_policy_document.manager
        dead_letter = data.aws_iam_policy_document.dead_letter
        sweep       = data.aws_iam_policy_document.sweep
        } : role => {
        for statement in document.statement :
        join(" ", sort(statement.resources)) => join(" ", sort(statement.actions))
      }
      } == {
      manager = {
        (local.stream_arn)               = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams"
        (aws_sqs_queue.dead_letters.arn) = "sqs:SendMessage"
      }
      dead_letter = {
        (local.stream_arn)               = "dynamodb:GetRecords dynamodb:GetShardIterator"
        (aws_sqs_queue.dead_letters.arn) = "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage"
        (aws_sqs_queue.parking.arn)      = "sqs:SendMessage"
      }
      sweep = {
        (local.smtp_users) = "iam:GetUserPolicy"
        (local.table_arn)  = "dynamodb:DescribeTable"
        "*"                = "iam:ListUsers lambda:ListEventSourceMappings ses:GetAccount"
      }
    }
    error_message = "Only the functions that need a stream, a queue, a list of IAM users or the state of the account may read it."
  }

  assert {
    condition = (
      length(local.own_permissions.manager) == 1 && length(local.own_permissions.dead_letter) == 2 && length(local.own_permissions.sweep) == 3 &&
      data.aws_iam_policy_document.query_records.statement[0].actions == toset(["dynamodb:Query"])
    )
    error_message = "The credential manager reads single records; the other functions also query records."
  }

  assert {
    condition = alltrue([
      for statement in [data.aws_iam_policy_document.query_records.statement[0], data.aws_iam_policy_document.converge_data.statement[0]] :
      length([for c in statement.condition : c if c.variable == "dynamodb:LeadingKeys" && c.values == tolist(["SMTP_USER"])]) == 1
      && length([for c in statement.condition : c if c.test == "Null"]) == 1
    ])
    error_message = "The leading key must be SMTP_USER, and a request without any key must be denied."
  }

  assert {
    condition = [
      for statement in data.aws_iam_policy_document.key.statement : tolist(statement.principals)[0].identifiers
      if contains(statement.actions, "kms:Encrypt")
      ] == [toset([
        "arn:aws:iam::111122223333:role/smtp-credential-manager-test",
        "arn:aws:iam::111122223333:role/smtp-dead-letters-test",
        "arn:aws:iam::111122223333:role/smtp-sweep-test",
    ])]
    error_message = "Only the three functions may encrypt."
  }
}

run "the_permissions_to_converge_a_user_are_confined" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for statement in data.aws_iam_policy_document.converge_iam.statement : [for action in statement.actions : !strcontains(action, "*")]
    ]))
    error_message = "IAM actions must not contain wildcards."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.converge_iam.statement :
      statement.resources == toset(["arn:aws:iam::111122223333:user/smtp/test/smtp-test-*"])
      || (statement.actions == toset(["iam:DeleteVirtualMFADevice"]) && statement.resources == toset(["arn:aws:iam::111122223333:mfa/*"]))
      || (statement.actions == toset(["iam:GetUser"]) && statement.resources == toset(["arn:aws:iam::111122223333:user/*smtp-test-*"]))
    ])
    error_message = "The resources must be users under this environment's path. Exceptions: GetUser by name, and virtual MFA devices."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.converge_iam.statement :
      length([for c in statement.condition : c if c.variable == "iam:PermissionsBoundary" && c.values == tolist([aws_iam_policy.boundary.arn])]) == 1
      if length(setintersection(statement.actions, [
        "iam:CreateUser", "iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:AttachUserPolicy", "iam:DetachUserPolicy",
        "iam:PutUserPermissionsBoundary",
      ])) > 0
    ])
    error_message = "Actions that could widen a user's permissions must require the permissions boundary."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.converge_iam.statement :
      length([
        for c in statement.condition : c
        if c.values == tolist(["ses-smtp-reconciler"])
        && c.variable == (contains(statement.actions, "iam:CreateUser") ? "aws:RequestTag/managed-by" : "aws:ResourceTag/managed-by")
      ]) == 1
      if anytrue([for action in statement.actions : !can(regex("^iam:(Get|List|DeleteVirtual)", action))])
    ])
    error_message = "A user must be created with our tag, and only users with our tag may be changed."
  }

  assert {
    condition     = !contains(flatten([for statement in data.aws_iam_policy_document.converge_data.statement : tolist(statement.actions)]), "kms:Decrypt")
    error_message = "The functions must not be able to decrypt."
  }
}

run "the_boundary_allows_only_sending" {
  command = plan

  assert {
    condition     = data.aws_iam_policy_document.boundary.statement[0].actions == toset(["ses:SendRawEmail"]) && length(data.aws_iam_policy_document.boundary.statement) == 1
    error_message = "The boundary must allow only ses:SendRawEmail."
  }

  assert {
    condition = [
      for c in data.aws_iam_policy_document.boundary.statement[0].condition : "${c.test} ${c.variable} ${join(" ", c.values)}"
    ] == ["StringLike ses:FromAddress ${join(" ", [for domain in sort(var.allowed_domains) : "*@${domain}"])}"]
    error_message = "The boundary must allow only senders of the allowed domains."
  }

  assert {
    condition = data.aws_iam_policy_document.boundary.statement[0].resources == toset([
      "arn:aws:ses:eu-central-1:111122223333:identity/*",
      "arn:aws:ses:eu-central-1:111122223333:configuration-set/smtp-test",
      "arn:aws:ses:eu-west-1:111122223333:identity/*",
      "arn:aws:ses:eu-west-1:111122223333:configuration-set/smtp-test",
    ])
    error_message = "The boundary must allow any identity and one configuration set, in each region."
  }
}

run "only_the_named_readers_can_decrypt" {
  command = plan

  variables {
    credential_readers = ["arn:aws:iam::111122223333:role/mail-administrators"]
  }

  assert {
    condition = [
      for statement in data.aws_iam_policy_document.key.statement : tolist(statement.principals)[0].identifiers
      if contains(statement.actions, "kms:Decrypt")
    ] == [toset(["arn:aws:iam::111122223333:role/mail-administrators"])]
    error_message = "Only the named readers may decrypt."
  }

  assert {
    condition     = aws_kms_key.credentials.enable_key_rotation
    error_message = "Key rotation must be enabled."
  }
}

run "the_sweep_and_operators_read_all_users_at_once" {
  command = plan

  assert {
    condition = (
      [for statement in data.aws_iam_policy_document.wide_reads[0].statement : "${join(" ", statement.actions)} ${join(" ", statement.resources)}"] == ["iam:GetAccountAuthorizationDetails *"] &&
      contains(local.own_permissions.sweep, data.aws_iam_policy_document.wide_reads[0].json) &&
      contains(data.aws_iam_policy_document.operator.source_policy_documents, data.aws_iam_policy_document.wide_reads[0].json) &&
      aws_lambda_function.function["sweep"].environment[0].variables.WIDE_READS == "true"
    )
    error_message = "With wide_reads, the sweep and operators need the permission for it."
  }
}

run "without_wide_reads_nobody_reads_all_users" {
  command = plan

  variables {
    wide_reads = false
  }

  assert {
    condition = (
      length(data.aws_iam_policy_document.wide_reads) == 0 && length(local.own_permissions.sweep) == 2 &&
      length(coalesce(data.aws_iam_policy_document.operator.source_policy_documents, [])) == 0 &&
      aws_lambda_function.function["sweep"].environment[0].variables.WIDE_READS == "false"
    )
    error_message = "Without wide_reads, no policy may contain the permission for it."
  }
}

run "operators_can_write_requests_but_not_change_iam_or_decrypt" {
  command = plan

  assert {
    condition     = aws_iam_policy.operator.name == "smtp-operator-test" && output.operator_policy_arn == aws_iam_policy.operator.arn
    error_message = "The output must contain the ARN of the policy."
  }

  assert {
    condition = {
      for statement in data.aws_iam_policy_document.operator.statement :
      join(" ", sort(statement.resources)) => join(" ", sort(statement.actions))...
      } == {
      (local.table_arn)                             = ["dynamodb:BatchGetItem dynamodb:Query", "dynamodb:UpdateItem"]
      "arn:aws:iam::111122223333:user/*smtp-test-*" = ["iam:GetUser"]
      (local.smtp_users)                            = ["iam:GetAccessKeyLastUsed iam:GetLoginProfile iam:GetUserPolicy iam:ListAccessKeys iam:ListAttachedUserPolicies iam:ListGroupsForUser iam:ListMFADevices iam:ListSSHPublicKeys iam:ListServiceSpecificCredentials iam:ListSigningCertificates iam:ListUserPolicies"]
      "*"                                           = ["iam:ListUsers", "ses:GetAccount ses:GetEmailIdentity"]
      "${aws_sqs_queue.dead_letters.arn} ${aws_sqs_queue.parking.arn}" = [join(" ", [
        "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListMessageMoveTasks", "sqs:PurgeQueue",
        "sqs:ReceiveMessage", "sqs:SendMessage", "sqs:StartMessageMoveTask",
      ])]
    }
    error_message = "The policy must allow requests in records, reads of the environment's IAM users and of SES, and work on the two queues, and nothing else."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.operator.statement : (
        length([for c in statement.condition : c if c.variable == "dynamodb:LeadingKeys" && c.values == tolist(["SMTP_USER"])]) == 1
        && length([for c in statement.condition : c if c.test == "Null" && c.variable == "dynamodb:LeadingKeys"]) == 1
      )
      if contains(["ReadRecords", "WriteRequests"], statement.sid)
    ])
    error_message = "The leading key must be SMTP_USER, and a request without any key must be denied."
  }

  assert {
    condition = [
      for c in one([for s in data.aws_iam_policy_document.operator.statement : s if contains(s.actions, "dynamodb:UpdateItem")]).condition :
      "${c.test} ${join(" ", sort(c.values))}" if c.variable == "dynamodb:Attributes"
      ] == [
      "ForAllValues:StringEquals PK SK actor ci_actor correlation_id failure requested_at revision revoked revoked_users run status version", "Null false",
    ]
    error_message = "Operators must only be able to update the attributes of a request, and none of the grant."
  }
}
