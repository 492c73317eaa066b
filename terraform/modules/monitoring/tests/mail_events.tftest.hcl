# Which events of SES are kept, who may write them, and the queries and links over them.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment       = "test"
  account_id        = "111122223333"
  smtp_regions      = ["eu-central-1", "eu-west-1"]
  configuration_set = "smtp-test"
  functions = {
    manager     = { name = "smtp-credential-manager-test", log_group = "/aws/lambda/smtp-credential-manager-test" }
    dead_letter = { name = "smtp-dead-letters-test", log_group = "/aws/lambda/smtp-dead-letters-test" }
    sweep       = { name = "smtp-sweep-test", log_group = "/aws/lambda/smtp-sweep-test" }
  }
  dead_letter_queue_name = "smtp-dead-letters-test"
  parking_queue_name     = "smtp-parked-test"
  table_name             = "smtp-users-test"
  log_retention_days     = 90
}

run "events_of_the_configuration_set_are_kept_in_each_region" {
  assert {
    condition = alltrue([
      for region, destination in aws_sesv2_configuration_set_event_destination.mail :
      destination.region == region && destination.configuration_set_name == "smtp-test" &&
      destination.event_destination_name == "smtp-test-mail-log" && destination.event_destination[0].enabled &&
      destination.event_destination[0].matching_event_types == toset(["BOUNCE", "COMPLAINT", "DELIVERY_DELAY", "REJECT", "RENDERING_FAILURE"]) &&
      destination.event_destination[0].event_bridge_destination[0].event_bus_arn == "arn:aws:events:${region}:111122223333:event-bus/default"
    ]) && length(aws_sesv2_configuration_set_event_destination.mail) == 2
    error_message = "SES must publish the events of each region to the default bus of that region."
  }

  assert {
    condition = alltrue([
      for region, rule in aws_cloudwatch_event_rule.mail : rule.region == region && jsondecode(rule.event_pattern) == {
        source      = ["aws.ses"]
        detail-type = ["Email Bounced", "Email Complaint Received", "Email Delivery Delayed", "Email Rejected", "Email Rendering Failed"]
        detail      = { mail = { tags = { "ses:configuration-set" = ["smtp-test"] } } }
      }
    ])
    error_message = "The rule must select only events of this configuration set."
  }

  assert {
    condition = alltrue([
      for region, group in aws_cloudwatch_log_group.mail :
      group.region == region && group.name == "/aws/events/smtp-test-mail" && group.retention_in_days == 90 &&
      aws_cloudwatch_event_target.mail[region].arn == group.arn && aws_cloudwatch_event_target.mail[region].role_arn == null
    ]) && output.mail_log_groups == { for region in var.smtp_regions : region => "/aws/events/smtp-test-mail" }
    error_message = "EventBridge writes only to log groups whose name starts with /aws/events/, without a role."
  }

  assert {
    condition = alltrue([
      for region, policy in aws_cloudwatch_log_resource_policy.mail :
      policy.resource_arn == aws_cloudwatch_log_group.mail[region].arn && policy.policy_name == null &&
      alltrue([
        for statement in jsondecode(policy.policy_document).Statement :
        statement.Resource == "${aws_cloudwatch_log_group.mail[region].arn}:*" &&
        toset(statement.Principal.Service) == toset(["events.amazonaws.com", "delivery.logs.amazonaws.com"])
      ]) &&
      { for statement in jsondecode(policy.policy_document).Statement : statement.Action => try(statement.Condition.ArnEquals["aws:SourceArn"], "any") } == {
        "logs:CreateLogStream" = "any"
        "logs:PutLogEvents"    = aws_cloudwatch_event_rule.mail[region].arn
      }
    ])
    error_message = "The policy must belong to the log group (an account can have only ten others) and admit only our rule."
  }
}

run "the_queries_exist_in_each_region" {
  assert {
    condition = toset([
      for query in aws_cloudwatch_query_definition.mail : "${query.region} ${query.name} ${join(",", query.log_group_names)}"
      ]) == toset(flatten([
        for region in var.smtp_regions : [
          for name in ["mail problems by user", "mail problems of user NAME"] : "${region} smtp-users/test/${name} /aws/events/smtp-test-mail"
        ]
    ]))
    error_message = "A query reads log groups of its own region only."
  }

  assert {
    condition = toset([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.properties.region}: ${widget.properties.query}"
      if strcontains(try(widget.properties.title, ""), "by user")
      ]) == toset([
      for region in var.smtp_regions :
      "${region}: SOURCE '/aws/events/smtp-test-mail' | ${aws_cloudwatch_query_definition.mail["mail problems by user/${region}"].query_string}"
    ])
    error_message = "The dashboard must show the saved query of each region."
  }
}

run "traces_are_grouped_by_environment" {
  assert {
    condition = { for group in aws_xray_group.this : group.group_name => group.filter_expression } == {
      smtp-test        = local.own_traces
      smtp-test-faults = "fault = true AND (${local.own_traces})"
      smtp-test-slow   = "responsetime > 5 AND (${local.own_traces})"
      } && local.own_traces == join(" OR ", [
        "annotation.environment = \"test\"", "service(\"smtp-dead-letters-test\")", "service(\"smtp-credential-manager-test\")", "service(\"smtp-sweep-test\")",
    ])
    error_message = "There must be a group of all traces of the environment, of those with faults and of slow ones."
  }

  assert {
    condition     = can(regex("self\\._annotate\\(environment=os\\.environ\\[\"ENVIRONMENT\"\\]\\)", file("${path.module}/../../../reconciler/manager/handlers/telemetry.py")))
    error_message = "reconciler/manager/handlers/telemetry.py does not annotate the environment."
  }
}

run "links_open_the_console_with_the_query_filled_in" {
  assert {
    condition = alltrue([
      for text in [
        "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#xray:service-map/map",
        "#xray:traces/query?~(query~(expression~'fault*20*3D*20true*20AND*20*28annotation.environment*20*3D*20*22test*22*20OR*20service*28*22",
        "~editorString~'fields*20*60detail-type*60*20as*20event*0A*7C*20parse*20*40message*20*2F*22ses*3Acaller-identity*22*5Cs*2A*3A",
        "~source~(~'*2Faws*2Fevents*2Fsmtp-test-mail))",
      ] :
      strcontains(one([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.markdown if widget.type == "text"]), text)
    ])
    error_message = "The dashboard must link to the trace map, the traces and the saved queries."
  }
}
