"""A bounce is found under the name of the SMTP user: SES → bus → rule → log group → saved query.

The local AWS accepts no event of `aws.ses` on the bus, as AWS does. It publishes none itself, delivers none to a log
group, keeps no saved queries and evaluates only a part of their language. Each link of the deployed chain is therefore
tested by itself: the rule with the local AWS's own pattern matching, the query of Terraform's state with
`support.insights`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from support.insights import run_query
from support.ses_events import KINDS, RECIPIENT, ses_event
from terraform.conftest import Deployed

pytestmark = pytest.mark.xdist_group("terraform")

SET = "smtp-sandbox"
USER = "smtp-sandbox-billing-mailer"
GROUP = "/aws/events/smtp-sandbox-mail"


def event(detail_type: str, iam_user: str = USER, configuration_set: str = SET, **more: Any) -> dict[str, Any]:
    return ses_event(detail_type, iam_user, configuration_set=configuration_set, account="000000000000", **more)


def saved_query(deployed: Deployed, name: str) -> str:
    state = json.loads((deployed.root / "terraform" / "environments" / "sandbox" / "terraform.tfstate").read_text())
    queries = [
        instance["attributes"]
        for resource in state["resources"]
        if resource["type"] == "aws_cloudwatch_query_definition"
        for instance in resource["instances"]
    ]
    (found,) = (query for query in queries if query["name"] == f"smtp-users/sandbox/{name}")
    assert found["log_group_names"] == [GROUP]
    return found["query_string"]


def log(deployed: Deployed, stream: str, events: Iterable[Mapping[str, Any]]) -> list[str]:
    """Write the events as the rule's target does, each as one message, and read the messages of the stream."""
    logs, now = deployed.client("logs"), int(time.time() * 1000)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    messages = [{"timestamp": now, "message": json.dumps(event, separators=(",", ":"))} for event in events]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=messages)
    read = logs.start_query(
        logGroupNames=[GROUP],
        startTime=now // 1000 - 60,
        endTime=now // 1000 + 60,
        queryString=f"fields @message | filter @logStream = '{stream}'",
    )
    rows = logs.get_query_results(queryId=read["queryId"])["results"]
    return [field["value"] for row in rows for field in row if field["field"] == "@message"]


def test_ses_publishes_to_a_rule_that_writes_to_the_log_group(inhabited: Deployed) -> None:
    events, logs, ses = (inhabited.client(service) for service in ("events", "logs", "sesv2"))
    listed = ses.get_configuration_set_event_destinations(ConfigurationSetName=SET)["EventDestinations"]
    destinations = {one["Name"]: one for one in listed}
    assert {*destinations} == {"smtp-sandbox-bounces", "smtp-sandbox-complaints", "smtp-sandbox-mail-log"}
    kept = destinations["smtp-sandbox-mail-log"]
    assert kept["Enabled"]
    assert {*kept["MatchingEventTypes"]} == {"BOUNCE", "COMPLAINT", "REJECT", "DELIVERY_DELAY", "RENDERING_FAILURE"}
    assert kept["EventBridgeDestination"]["EventBusArn"].endswith(":event-bus/default")

    rule = events.describe_rule(Name="smtp-sandbox-mail")
    assert (rule["State"], rule["EventBusName"]) == ("ENABLED", "default")
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    (group,) = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert target["Arn"] == group["arn"].removesuffix(":*")
    (policy,) = logs.describe_resource_policies(resourceArn=target["Arn"], policyScope="RESOURCE")["resourcePolicies"]
    assert rule["Arn"] in policy["policyDocument"]


def test_the_rule_selects_the_events_of_our_configuration_set(inhabited: Deployed) -> None:
    events = inhabited.client("events")
    pattern = events.describe_rule(Name="smtp-sandbox-mail")["EventPattern"]

    def selected(one: Mapping[str, Any]) -> bool:
        return events.test_event_pattern(EventPattern=pattern, Event=json.dumps(one))["Result"]

    assert {kind for kind in KINDS if selected(event(kind))} == {*KINDS} - {"Email Delivered"}
    assert not selected(event("Email Bounced", configuration_set="newsletter"))
    assert not selected({**event("Email Bounced"), "source": "example.application"})


def test_events_are_counted_by_smtp_user(inhabited: Deployed) -> None:
    headers = tuple((f"X-Header-{n}", "value") for n in range(150))  # more fields than Logs Insights reads
    imitation = (("X-Note", '"ses:caller-identity":["smtp-sandbox-wiki"]'),)
    messages = log(
        inhabited,
        "by-user",
        [
            event("Email Bounced"),
            event("Email Bounced", headers=headers),
            event("Email Bounced", headers=imitation),
            event("Email Complaint Received", "smtp-sandbox-wiki"),
            event("Email Delivery Delayed", "application"),
        ],
    )
    assert run_query(saved_query(inhabited, "mail problems by user"), messages) == [
        {"smtp_user": "billing-mailer", "iam_user": USER, "event": "Email Bounced", "events": "3"},
        {"smtp_user": "wiki", "iam_user": "smtp-sandbox-wiki", "event": "Email Complaint Received", "events": "1"},
        {"iam_user": "application", "event": "Email Delivery Delayed", "events": "1"},
    ]


def test_the_events_of_one_user_show_recipient_sender_and_network(inhabited: Deployed) -> None:
    kinds = [kind for kind in KINDS if kind != "Email Delivered"]
    messages = log(inhabited, "one-user", [*map(event, kinds), event("Email Bounced", "smtp-sandbox-wiki")])
    query = saved_query(inhabited, "mail problems of user NAME").replace("NAME", "billing-mailer")
    found = run_query(query, messages)
    assert [row["event"] for row in found] == kinds
    assert [row.get("bounce_type") for row in found] == ["Permanent", None, None, None, None]
    for row in found:
        assert row["recipient"] == RECIPIENT
        assert row["sender"] == "Billing <billing@example.com>"
        assert (row["smtp_user"], row["source_ip"]) == ("billing-mailer", "203.0.113.7")
