# The configuration of SES: rules for every domain in every region.
mock_provider "aws" {}

variables {
  domains           = ["example.com", "news.example.com"]
  smtp_regions      = ["eu-central-1", "eu-west-1"]
  configuration_set = "smtp-test"
}

run "every_domain_in_every_region" {
  command = plan

  assert {
    condition = toset([
      for identity in aws_sesv2_email_identity.this : "${identity.email_identity} ${identity.region}"
      ]) == toset([
      "example.com eu-central-1", "example.com eu-west-1", "news.example.com eu-central-1", "news.example.com eu-west-1",
    ])
    error_message = "Each domain must have an identity in each region."
  }

  assert {
    condition     = alltrue([for identity in aws_sesv2_email_identity.this : identity.configuration_set_name == "smtp-test"])
    error_message = "Mail from an identity without a default configuration set bypasses TLS, suppression and event publishing."
  }

  assert {
    condition = alltrue([
      for identity in aws_sesv2_email_identity.this :
      identity.dkim_signing_attributes[0].next_signing_key_length == "RSA_2048_BIT" &&
      identity.dkim_signing_attributes[0].domain_signing_private_key == null
    ])
    error_message = "DKIM must be Easy DKIM with 2048 bits, so that the state contains no private key."
  }
}

run "every_region_has_the_same_strict_configuration_set" {
  command = plan

  assert {
    condition = {
      for set in aws_sesv2_configuration_set.this : set.region => set.configuration_set_name
    } == { eu-central-1 = "smtp-test", eu-west-1 = "smtp-test" }
    error_message = "The set must exist in each region, under the only name that SMTP users can use."
  }

  assert {
    condition     = alltrue([for set in aws_sesv2_configuration_set.this : set.delivery_options[0].tls_policy == "REQUIRE"])
    error_message = "The set must require TLS."
  }

  assert {
    condition = alltrue([
      for set in aws_sesv2_configuration_set.this :
      toset(set.suppression_options[0].suppressed_reasons) == toset(["BOUNCE", "COMPLAINT"])
    ])
    error_message = "The set must suppress addresses that bounced or complained."
  }

  assert {
    condition = alltrue([
      for set in aws_sesv2_configuration_set.this :
      set.reputation_options[0].reputation_metrics_enabled && set.sending_options[0].sending_enabled
    ])
    error_message = "Sending and reputation metrics must be enabled."
  }
}

run "every_mail_from_subdomain_belongs_to_one_region" {
  command = plan

  assert {
    condition = {
      for sender in aws_sesv2_email_identity_mail_from_attributes.this :
      "${sender.email_identity} ${sender.region}" => sender.mail_from_domain
      } == {
      "example.com eu-central-1"      = "bounce.example.com"
      "example.com eu-west-1"         = "bounce-eu-west-1.example.com"
      "news.example.com eu-central-1" = "bounce.news.example.com"
      "news.example.com eu-west-1"    = "bounce-eu-west-1.news.example.com"
    }
    error_message = "A MAIL FROM subdomain has one MX record, so two regions cannot share it."
  }

  assert {
    condition = alltrue([
      for sender in aws_sesv2_email_identity_mail_from_attributes.this :
      sender.behavior_on_mx_failure == "USE_DEFAULT_VALUE"
    ])
    error_message = "A missing MX record must not stop mail."
  }
}

run "no_resource_has_a_fixed_cost" {
  command = plan

  assert {
    condition = length(setsubtract(
      flatten([for file in fileset(path.module, "*.tf") : regexall("(?m)^resource \"([a-z0-9_]+)\"", file("${path.module}/${file}"))]),
      ["aws_sesv2_configuration_set", "aws_sesv2_email_identity", "aws_sesv2_email_identity_mail_from_attributes"],
    )) == 0
    error_message = "A resource type is not in the list of types without a fixed cost. Check its price before you add it here."
  }
}

run "a_mail_from_subdomain_is_never_a_sending_domain" {
  command = plan

  variables {
    domains = ["example.com", "bounce.example.com"]
  }

  expect_failures = [var.mail_from_label]
}

run "a_domain_in_upper_case_or_with_a_trailing_dot_is_rejected" {
  command = plan

  variables {
    domains = ["Example.com."]
  }

  expect_failures = [var.domains]
}

run "a_duplicate_region_is_rejected" {
  command = plan

  variables {
    smtp_regions = ["eu-central-1", "eu-central-1"]
  }

  expect_failures = [var.smtp_regions]
}
