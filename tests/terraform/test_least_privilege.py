"""Least privilege, measured: every AWS call of complete user lifecycles against the roles that Terraform created.

An independent IAM evaluator allows every call that was made, and every action that a role allows was used.
Calls that must be denied: `test_refusals`.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import pytest

from terraform.account import Account
from terraform.judging import Document, Judge
from terraform.policies import CI, FUNCTIONS, POLICIES, ROLES

pytestmark = pytest.mark.xdist_group("terraform")

TELEMETRY = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
# Calls that an AWS service makes on behalf of the role; the project's code does not make them.
BY_THE_SERVICE = {
    "manager": TELEMETRY
    | {
        "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    },
    "dead_letter": TELEMETRY | {"sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
    "sweep": TELEMETRY,
    "scheduler": {"lambda:InvokeFunction"},
}  # fmt: skip
# Manual work on the queues, described in docs/operations.md.
MANUAL = {
    "operator": {
        "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListMessageMoveTasks", "sqs:PurgeQueue",
        "sqs:ReceiveMessage", "sqs:SendMessage", "sqs:StartMessageMoveTask",
    },
}  # fmt: skip
# A plan also lists the IAM users of the account, and `status` reads the state of SES. Without the permission, both are
# complete otherwise.
NOT_NEEDED = {"apply": {"iam:ListUsers"}, "reader": {"iam:ListUsers", "ses:GetAccount"}}
# Used where GetAccountAuthorizationDetails is refused, for example by a policy of the organization.
FALLBACK = {"sweep": {"iam:ListUsers"}, "operator": {"iam:ListUsers"}}
FEWEST = {"manager": 40, "dead_letter": 40, "sweep": 40, "plan": 20, "apply": 4, "operator": 20, "reader": 3}


@pytest.mark.parametrize("who", [*FUNCTIONS, *CI, *POLICIES])
def test_every_call_that_was_made_is_allowed(judge: Judge, account: Account, who: str) -> None:
    requests = account.requests[who]
    assert len(requests) >= FEWEST[who]
    verdicts = judge.allowed(account.case(who, request) for request in requests)
    refused = [request for request, allowed in zip(requests, verdicts, strict=True) if not allowed]
    refused = [request for request in refused if request.action not in NOT_NEEDED.get(who, set())]
    if who == "reader":  # the key policy names the principals that may decrypt: none in the sandbox
        assert "kms:Decrypt" in [request.action for request in refused]
        refused = [request for request in refused if request.action != "kms:Decrypt"]
    assert [str(request) for request in refused] == []


@pytest.mark.parametrize("who", [*ROLES, *POLICIES])
def test_every_allowed_action_was_used_on_an_allowed_resource(account: Account, who: str) -> None:
    made = {(request.action, request.resource) for request in account.requests[who]}
    granted = grants(account.principals[who].policies)
    assert not [action for action, _ in granted if "*" in action]
    unused = {
        action
        for action, resource in granted
        if not any(action == called and fnmatchcase(named, resource) for called, named in made)
    }
    assert unused == BY_THE_SERVICE.get(who, set()) | MANUAL.get(who, set()) | FALLBACK.get(who, set())


def grants(policies: tuple[Document, ...]) -> list[tuple[str, str]]:
    """Each allowed action with each of its resources."""
    statements = [statement for policy in policies for statement in policy["Statement"]]
    return [
        (action, resource)
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_the_policies_fit_into_the_quotas_of_iam(account: Account) -> None:
    """10,240 characters for all inline policies of a role, 6,144 for a managed policy, without white space.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    for who, principal in account.principals.items():
        size = sum(len(json.dumps(policy, separators=(",", ":"))) for policy in principal.policies)
        assert size <= (6144 if who in POLICIES else 10240), who
