"""Requests that must be denied: an independent IAM evaluator denies them, and allows them with a wider role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.policy import boundary
from reconciler.manifests.environments import load_environment
from reconciler.pipeline.lambda_zip import ROOT
from terraform.account import Account
from terraform.existing import OTHER_ACCOUNT_READER, READER
from terraform.forbidden import ASKED, CONTEXT, FORBIDDEN, IAM_USER, KEYS, OURS, function
from terraform.judging import ALLOW_ALL, Case, Document, Judge, Principal, Request

ALLOW_NOTHING: Document = {"Version": "2012-10-17", "Statement": []}

pytestmark = pytest.mark.xdist_group("terraform")


@pytest.mark.parametrize("who", FORBIDDEN)
def test_forbidden_requests_are_denied(judge: Judge, account: Account, who: str) -> None:
    """A wider role allows the same requests, so each of them detects a role that is too wide."""
    listed = {what: request for refusals in FORBIDDEN[who] for what, request in refusals(account.names).items()}
    assert _passing(judge, {what: account.case(who, request) for what, request in listed.items()}) == []
    assert _passing(judge, {what: account.widened(who, request) for what, request in listed.items()}) == [*listed]


def _passing(judge: Judge, cases: Mapping[str, Case]) -> list[str]:
    return [what for what, allowed in zip(cases, judge.allowed(cases.values()), strict=True) if allowed]


@pytest.mark.parametrize("who", FORBIDDEN)
def test_every_condition_and_every_limit_of_a_resource_is_needed(judge: Judge, account: Account, who: str) -> None:
    """Widen one statement at a time, by a condition or by its resources: a forbidden request is then allowed."""
    listed = [request for refusals in FORBIDDEN[who] for request in refusals(account.names).values()]
    ways = list(widened(account.principals[who].policies))
    wider = [replace(account.principals[who], policies=policies) for _, policies in ways]
    passing = iter(
        judge.allowed(replace(account.case(who, request), principal=wide) for wide in wider for request in listed)
    )
    for what, _ in ways:
        verdicts = [next(passing) for _ in listed]
        assert any(verdicts), what


def widened(policies: tuple[Document, ...]) -> Iterator[tuple[str, tuple[Document, ...]]]:
    """Each way to widen one statement, with the policies that result."""
    for n, policy in enumerate(policies):
        for m, statement in enumerate(policy["Statement"]):
            if statement["Sid"] in NOT_WIDENED:
                continue
            conditions = statement.get("Condition", {})
            wider = {
                f"{test} {key}": {**statement, "Condition": _without(conditions, test, key)}
                for test, keys in conditions.items()
                for key in keys
            }
            if statement["Resource"] != "*":
                wider["the resources"] = {**statement, "Resource": "*"}
            for what, one in wider.items():
                statements = [*policy["Statement"][:m], one, *policy["Statement"][m + 1 :]]
                changed = {**policy, "Statement": statements}
                yield f"{statement['Sid']} without {what}", (*policies[:n], changed, *policies[n + 1 :])


# IAM does not delete a device that is in use; the key policy also refuses to encrypt in another context.
NOT_WIDENED = {"DeleteVirtualMfaDevices", "EncryptCredentials", "Log"}


def _without(conditions: Mapping[str, Any], test: str, key: str) -> dict[str, Any]:
    return {
        other: {name: value for name, value in keys.items() if (other, name) != (test, key)}
        for other, keys in conditions.items()
    }


def test_an_operator_can_write_requests_and_the_tested_attributes_are_complete(judge: Judge, account: Account) -> None:
    """The calls of retry, revoke and resume. If the tests omitted an attribute, a denial would prove nothing."""
    made = [request for request in account.requests["operator"] if request.action == "dynamodb:UpdateItem"]
    updated = {tuple(request.context["dynamodb:Attributes"]) for request in made}
    remembered = {"revoked_users", "version"}  # of a user that was deleted while it was revoked
    asked = {*KEYS, *ASKED} - {"revoked"} - remembered
    wanted = asked, {*asked, "revoked"}, {*KEYS, *remembered}
    assert updated == {tuple(sorted(names)) for names in wanted}
    assert judge.allowed(account.case("operator", request) for request in made) == [True] * len(made)


def test_the_schedule_invokes_the_sweep(judge: Judge, account: Account) -> None:
    request = Request("lambda:InvokeFunction", function(account.names, "sweep"))
    assert judge.allowed([account.case("scheduler", request)]) == [True]


def test_terraform_and_the_sandbox_build_the_same_boundary(account: Account) -> None:
    environment = load_environment(ROOT / "reconcile.yaml", "sandbox")
    assert account.boundary == _without_lists_of_one(boundary(environment.sending, environment.allowed_domains))


def _without_lists_of_one(part: Any) -> Any:
    """As Terraform writes a policy. It keeps the list of statements."""
    match part:
        case {"Statement": [statement], **others}:
            return {**others, "Statement": [_without_lists_of_one(statement)]}
        case dict():
            return {name: _without_lists_of_one(value) for name, value in part.items()}
        case [one]:
            return one
    return part


def test_a_user_can_only_send_whatever_its_own_policy_allows(judge: Judge, account: Account) -> None:
    names = account.names
    user = Principal(names.own_user(IAM_USER), (ALLOW_ALL,), account.boundary)
    ses = f"arn:aws:ses:{names.region}:{names.account}"
    sender = {"ses:FromAddress": "crm@example.com"}
    requests = [
        Request("ses:SendRawEmail", f"{ses}:identity/example.com", sender),
        Request("ses:SendRawEmail", f"{ses}:identity/example.com", {"ses:FromAddress": "ceo@example.org"}),
        Request("ses:SendRawEmail", f"{ses}:identity/example.com", {"ses:FromAddress": "a@example.com.example.org"}),
        Request("ses:SendRawEmail", f"{ses}:identity/example.com"),
        Request("ses:SendRawEmail", f"{ses}:configuration-set/unwatched", sender),
        Request("ses:SendEmail", f"{ses}:identity/example.com", sender),
        Request("iam:CreateAccessKey", names.own_user(IAM_USER)),
        Request("kms:Decrypt", names.key, CONTEXT),
        Request("dynamodb:GetItem", names.table(), OURS),
        Request("s3:GetObject", "arn:aws:s3:::any/thing"),
    ]
    assert judge.allowed(Case(user, request) for request in requests) == [True, *[False] * 9]


def test_only_the_named_readers_decrypt(judge: Judge, account: Account) -> None:
    """An administrator of the account can manage the key, but not use it. Readers of other accounts assume a role."""
    requests = [
        Request("kms:Decrypt", account.names.key, CONTEXT),
        Request("kms:Decrypt", account.names.key, {"kms:EncryptionContext:environment": "prod"}),
        Request("kms:Encrypt", account.names.key, CONTEXT),
        Request("kms:DescribeKey", account.names.key),
    ]
    external = account.names.iam("role/platform/smtp-credential-reader-sandbox")
    allowed = {
        account.names.iam("role/administrator"): (ALLOW_ALL, [False, False, False, True]),
        READER: (ALLOW_NOTHING, [True, False, False, False]),
        external: (ALLOW_NOTHING, [True, False, False, False]),
        OTHER_ACCOUNT_READER: (ALLOW_ALL, [False] * 4),
    }
    for arn, (policy, expected) in allowed.items():
        who = Principal(arn, (policy,))
        assert judge.allowed(Case(who, request, account.key_policy) for request in requests) == expected, arn
