mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
  }
  override_during = plan
}

override_resource {
  override_during = plan
  target          = aws_iam_role.ci["plan"]
  values          = { id = "smtp-reconcile-plan-test" }
}

override_resource {
  override_during = plan
  target          = aws_iam_role.ci["apply"]
  values          = { id = "smtp-reconcile-apply-test" }
}

variables {
  environment    = "test"
  account_id     = "111122223333"
  subject_prefix = "repo:example@1234567/smtp-users@7654321"
  table_arn      = "arn:aws:dynamodb:eu-central-1:111122223333:table/smtp-users-test"
}

run "each_role_trusts_one_github_environment" {
  command = plan

  assert {
    condition = {
      for role, document in data.aws_iam_policy_document.trust : role => [
        for condition in document.statement[0].condition : condition.values[0] if endswith(condition.variable, ":sub")
      ]
      } == {
      plan  = ["repo:example@1234567/smtp-users@7654321:environment:test-plan"]
      apply = ["repo:example@1234567/smtp-users@7654321:environment:test"]
    }
    error_message = "The trust policy must compare the complete subject, including the immutable ids."
  }

  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.trust : alltrue([for c in document.statement[0].condition : c.test == "StringEquals"])
    ])
    error_message = "A trust policy must not use patterns."
  }

  assert {
    condition = alltrue([
      for document in data.aws_iam_policy_document.trust : [
        for c in document.statement[0].condition : c.values if c.variable == "token.actions.githubusercontent.com:ref"
      ] == [tolist(["refs/heads/main"])]
    ])
    error_message = "Only workflows of the main branch may sign in: a pull request runs its own workflows."
  }
}

run "the_plan_role_reads_and_the_apply_role_writes_only_records_of_smtp_users" {
  command = plan

  assert {
    condition     = data.aws_iam_policy_document.records["plan"].statement[0].actions == toset(["dynamodb:Query"])
    error_message = "The plan role must only read."
  }

  assert {
    condition = [for statement in data.aws_iam_policy_document.records["apply"].statement : join(" ", sort(statement.actions))] == [
      "dynamodb:BatchGetItem dynamodb:Query", "dynamodb:UpdateItem",
    ]
    error_message = "CI must update records only: it must neither delete one nor replace a whole one."
  }

  assert {
    condition = [
      for c in data.aws_iam_policy_document.records["apply"].statement[1].condition : c.test if c.variable == "dynamodb:Attributes"
      ] == ["ForAllValues:StringEquals", "Null"] && length(setintersection(local.applied_attributes, [
        "revoked", "encrypted_credentials", "smtp_username", "iam_user_arn", "previous_key", "observed_revision", "policy_hash",
    ])) == 0
    error_message = "CI must not lift a revocation, and must not write what the credential manager writes."
  }

  assert {
    condition     = length(setsubtract(["commit", "pull_request", "approver", "ci_actor", "run"], local.applied_attributes)) == 0
    error_message = "CI must be able to store where a declaration comes from."
  }

  assert {
    condition = alltrue([
      for statement in flatten([for document in data.aws_iam_policy_document.records : document.statement]) :
      length([for c in statement.condition : c if c.variable == "dynamodb:LeadingKeys" && c.values == tolist(["SMTP_USER"])]) == 1
      && length([for c in statement.condition : c if c.variable == "dynamodb:LeadingKeys" && c.test == "Null"]) == 1
    ])
    error_message = "The leading key must be SMTP_USER, and a request without any key must be denied."
  }
}

run "only_the_plan_role_reads_iam" {
  command = plan

  assert {
    condition     = aws_iam_role_policy.drift.role == "smtp-reconcile-plan-test" && length(aws_iam_role_policy.ci) == 2
    error_message = "The apply role must have access to records only."
  }

  assert {
    condition = {
      for statement in data.aws_iam_policy_document.drift.statement :
      "${statement.sid} ${join(" ", sort(statement.resources))}" => join(" ", sort(statement.actions))
      } == {
      "GetUsersByName arn:aws:iam::111122223333:user/*smtp-test-*"        = "iam:GetUser"
      "ReadOwnUsers arn:aws:iam::111122223333:user/smtp/test/smtp-test-*" = "iam:GetAccessKeyLastUsed iam:GetLoginProfile iam:GetUserPolicy iam:ListAccessKeys iam:ListAttachedUserPolicies iam:ListGroupsForUser iam:ListMFADevices iam:ListSSHPublicKeys iam:ListServiceSpecificCredentials iam:ListSigningCertificates iam:ListUserPolicies"
      "FindOrphans *"                                                     = "iam:ListUsers"
      "ReadAllUsers *"                                                    = "iam:GetAccountAuthorizationDetails"
      "ReadSes *"                                                         = "ses:GetAccount ses:GetEmailIdentity"
    }
    error_message = "The plan role must only read: users of this environment, all users at once, and the state of SES."
  }
}

run "without_wide_reads_only_names_of_other_users_are_read" {
  command = plan

  variables {
    wide_reads = false
  }

  assert {
    condition     = !contains(flatten(data.aws_iam_policy_document.drift.statement[*].actions), "iam:GetAccountAuthorizationDetails")
    error_message = "The plan role must not read all IAM users of the account."
  }
}

run "an_existing_provider_is_used" {
  command = plan

  variables {
    oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && output.oidc_provider_arn == var.oidc_provider_arn
    error_message = "An account can have only one OIDC provider for GitHub."
  }
}

run "a_wildcard_in_the_subject_is_rejected" {
  command = plan

  variables {
    subject_prefix = "repo:example/*"
  }

  expect_failures = [var.subject_prefix]
}

run "roles_follow_the_rules_of_the_organisation" {
  command = plan

  variables {
    role_path                 = "/platform/"
    role_permissions_boundary = "arn:aws:iam::111122223333:policy/organisation"
    table_key_policies        = ["{\"Version\":\"2012-10-17\",\"Statement\":[]}"]
  }

  assert {
    condition = alltrue([
      for role in aws_iam_role.ci : role.path == "/platform/" && role.permissions_boundary == "arn:aws:iam::111122223333:policy/organisation"
    ])
    error_message = "The roles must have the path and the boundary."
  }

  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.records : document.source_policy_documents == tolist(var.table_key_policies)])
    error_message = "Both roles must be able to use the key of the table."
  }
}
