"""Every command, with hostile text wherever someone else may write: nothing acts on a log or a comment."""

from __future__ import annotations

import botocore.handlers
import pytest
from botocore.exceptions import ClientError

from support.attacks import ATTACKS, ON_LOGS
from support.neutral import assert_log_is_neutral, assert_markdown_is_neutral
from support.runs import Checkout, Outcome, an_entry
from support.world import World

STORABLE = [text for text in ATTACKS if text != "\ud800"]  # UTF-8 cannot encode it
COMMANDS = [
    ("plan",),
    ("status",),
    ("status", "--wide"),
    ("drift",),
    ("plan", "--format", "json"),
    ("status", "--format", "json"),
    ("drift", "--format", "json"),
    ("apply", "--yes"),
    ("apply", "--yes", "--allow-deletes", "999"),
    ("retry", "--all-failed", "--yes", "--no-wait"),
]
FIELDS = (
    "owner", "description", "manifest", "commit", "actor", "correlation_id", "requested_at", "managed_by",
    "smtp_username", "previous_key", "previous_key_retires_at", "expires", "spec_hash", "iam_user_arn",
)  # fmt: skip


def plant(world: World, text: str) -> None:
    """Records whose fields all contain the text."""
    hostile = dict.fromkeys(FIELDS, text)
    failure = {"code": text, "message": text, "at": text}
    revoked = {"actor": text, "reason": text, "at": text}
    world.put_row(f"{text} a", **hostile, status=text, allowed_from_addresses=[text])
    world.put_row(f"{text} b", **{**hostile, "managed_by": "reconciler:test"}, status="active", revoked=revoked)
    world.put_row(f"{text} c", managed_by="reconciler:test", status="failed", failure=failure)


def assert_neutral(outcome: Outcome) -> None:
    assert "internal error" not in outcome.err
    assert_log_is_neutral(outcome.out)
    assert_log_is_neutral(outcome.err)


@pytest.mark.parametrize("columns", ["", "40"])
def test_no_record_steers_the_output_of_any_command(
    columns: str, world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for text in STORABLE:
        plant(world, text)
    checkout.declare(an_entry("crm"))
    for words in COMMANDS[:4] if columns else COMMANDS:  # only tables depend on the width
        assert_neutral(checkout.run(*words))
    for command in () if columns else ("plan", "drift"):
        assert_markdown_is_neutral(checkout.run(command, "--format", "markdown").out)


def test_no_argument_and_no_reason_steers_a_log(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world)
    for text in filter(str.strip, STORABLE):
        assert_neutral(checkout.run("revoke", "crm", "--reason", text, "--yes", "--no-wait"))
        assert_markdown_is_neutral(checkout.run("plan", "--format", "markdown").out)
        for words in arguments(text) if text in ON_LOGS else ():
            assert_neutral(checkout.run(*words))
        assert_neutral(checkout.run("resume", "crm", "--yes", "--no-wait"))


def arguments(text: str) -> list[tuple[str, ...]]:
    return [
        ("plan",),
        ("status", text),
        ("status", "--owner", text),
        ("credentials", text),
        ("credentials", "crm", "--region", text),
        ("plan", "--format", text),
        (text,),
        ("resume", "crm", text),
        (f"--{text}",),
        ("validate", text),
        ("plan", "--env", text),
    ]


@pytest.mark.parametrize("text", [text for text in STORABLE if text.strip() and not {*text} & {"/", "\0"}], ids=ascii)
def test_no_file_steers_a_log(text: str, checkout: Checkout) -> None:
    folder = checkout.root / "users" / "test"
    checkout.declare({**an_entry("crm", text), "owner": text, text: text})
    (folder / f"{text}.yaml").write_text(f"users: [{text}", encoding="utf-8")
    (folder / f"{text} y").write_text(text, encoding="utf-8")
    (checkout.root / "users" / f"{text} x").mkdir()
    outcome = checkout.run("validate")
    assert outcome.code == 1
    assert_neutral(outcome)
    checkout.configure(**{text: text, "region": text})
    assert_neutral(checkout.run("validate"))


def test_an_error_of_aws_steers_no_log(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ClientError({"Error": {"Code": "##[error]Odd", "Message": f"::error::x {' '.join(STORABLE)}"}}, "Query")

    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("before-call.dynamodb", fail)]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
    checkout.declare(an_entry("crm"))
    for words in (("plan",), ("status",), ("drift",), ("apply", "--yes")):
        outcome = checkout.run(*words)
        assert outcome.code == 1
        assert_neutral(outcome)
