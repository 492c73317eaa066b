# What the deployment publishes about its identities.
mock_provider "aws" {
  mock_resource "aws_sesv2_email_identity" {
    defaults = { dkim_signing_attributes = { tokens = ["t1", "t2", "t3"] } }
  }
}

variables {
  domains           = ["example.com", "news.example.com"]
  smtp_regions      = ["eu-central-1", "eu-west-1"]
  configuration_set = "smtp-test"
}

run "the_records_are_what_terraform_itself_knows" {
  assert {
    condition = toset(keys(output.dns_records)) == toset([
      "example.com/eu-central-1", "example.com/eu-west-1", "news.example.com/eu-central-1", "news.example.com/eu-west-1",
    ])
    error_message = "Each identity must have its records."
  }

  assert {
    condition     = output.dns_records["example.com/eu-west-1"].dkim_tokens == tolist(["t1", "t2", "t3"])
    error_message = "The tokens must be those of the identity."
  }

  assert {
    condition     = alltrue([for records in values(output.dns_records) : records.dkim_zone == "printed by reconcile dns"])
    error_message = "The DKIM zone must never be guessed."
  }

  assert {
    condition = output.dns_records["example.com/eu-west-1"].mail_from == {
      name = "bounce-eu-west-1.example.com"
      mx   = "10 feedback-smtp.eu-west-1.amazonses.com"
      txt  = "v=spf1 include:amazonses.com ~all"
    }
    error_message = "The MAIL FROM records must be those of the region."
  }
}

run "the_other_outputs_cover_every_region" {
  assert {
    condition = output.smtp == {
      eu-central-1 = { host = "email-smtp.eu-central-1.amazonaws.com", starttls_ports = [587, 2587, 25], tls_ports = [465, 2465] }
      eu-west-1    = { host = "email-smtp.eu-west-1.amazonaws.com", starttls_ports = [587, 2587, 25], tls_ports = [465, 2465] }
    }
    error_message = "The output must contain the host and ports of each region, separated by TLS mode."
  }

  assert {
    condition = (
      toset(keys(output.configuration_set_arns)) == toset(var.smtp_regions) &&
      toset(keys(output.identity_arns)) == var.domains &&
      alltrue([for arns in values(output.identity_arns) : toset(keys(arns)) == toset(var.smtp_regions)])
    )
    error_message = "The outputs must contain the ARNs of each region."
  }
}
