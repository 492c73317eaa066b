"""Commands with a fake account: what is allowed, what is printed, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cli import credentials as credentials_module
from reconciler.cli import main as cli
from reconciler.core.applied_state import NOTHING_APPLIED, AppliedState
from reconciler.core.ownership import ListedUser
from reconciler.core.policy import Sending, grant_hash
from reconciler.core.record import Failure, Progress, Record, manager_tag
from reconciler.core.user import spec_hash
from reconciler.engine import reconcile as run_module
from reconciler.errors import Conflict, Denied, Terminal
from reconciler.ports import Credentials
from support.neutral import assert_log_is_neutral
from support.offline import Bad, lay_out, manifest
from support.runs import Checkout, an_entry
from support.world import World, a_user

STRICT = Sending("444455556666", ("eu-central-1",), "smtp-strict")
Plan = Callable[..., tuple[int, str, str]]
HOSTILE = "a\n::error::\x1b[2K\u2028b"
LAST = "no users are declared; this would delete the only user"


class FakeConnection:
    """A fake account with these records. It is also its own store."""

    def __init__(self, rows: list[Record], account: str) -> None:
        self.rows = rows
        self.account = account

    def target(self) -> tuple[str, str]:
        return self.account, "eu-central-1"

    def caller(self) -> str:
        return "arn:aws:iam::123456789012:user/ann"

    def applied_states(self) -> FakeConnection:
        return self

    def load(self) -> AppliedState:
        return NOTHING_APPLIED

    def save(self, state: AppliedState) -> AppliedState:
        return state

    def store(self) -> FakeConnection:
        return self

    def iam_names(self) -> FakeConnection:
        return self

    def users(self) -> list[ListedUser]:
        raise Denied("iam:ListUsers", "AccessDenied", "not authorized")

    def records(self) -> list[Record]:
        return self.rows

    def fetch(self, names: Iterable[str]) -> dict[str, Record]:
        return {row.name: row for row in self.rows if row.name in names}

    def progress(self, names: Collection[str]) -> dict[str, Progress]:
        """The result of processing: one failed, the others are gone; `crm` is unchanged."""
        failure = Failure("AccessDenied", HOSTILE, "")
        left = [row.name for row in self.rows if row.name in names and row.name.endswith("2")]
        kept = {"crm": Progress("crm", "active", 1, 1, None)}
        return kept | {name: Progress(name, "failed", 9, None, failure) for name in left}

    def vault(self) -> FakeConnection:
        return self

    def decrypt(self, name: str, username: str, _: bytes) -> Credentials:
        return Credentials(username, {"eu-central-1": f"the password of {name}"})

    def delete(self, record: Record, _: object) -> int:
        if record.name.endswith("lost"):
            raise Conflict.of(record.name)
        if record.name.endswith("refused"):
            raise Terminal("dynamodb:UpdateItem", "AccessDenied", record.name)
        return 2


def row(name: str) -> Record:
    """Managed and settled: a plan that declares it has nothing to do."""
    user = a_user(name, description="Invoices", owner="billing@example.com")
    return Record(
        name=name,
        user=user,
        status="active",
        revision=1,
        spec_hash=spec_hash(user),
        managed_by=manager_tag("strict"),
        observed_revision=1,
        observed_hash=grant_hash(user, STRICT),
    )


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Plan:
    """Environment `strict`, which deletes no users without --allow-deletes."""
    monkeypatch.chdir(tmp_path)

    def run(
        *arguments: str, declared: str = manifest(), rows: tuple[str, ...] = (), account: str = "444455556666"
    ) -> tuple[int, str, str]:
        if not (tmp_path / "users").exists():
            lay_out(tmp_path, Bad("plan", {}, (), env="strict"))
        (tmp_path / "users" / "strict" / "a.yaml").write_text(declared, encoding="utf-8")
        connection = FakeConnection([row(name) for name in rows], account)
        monkeypatch.setattr(run_module, "connect", lambda *_: connection)
        return cli.run([*arguments]), *capsys.readouterr()

    return run


def test_a_delete_over_the_limit_is_shown_refused_and_allowed_by_its_number(plan: Plan) -> None:
    rows = ("billing-mailer", "crm")
    code, out, err = plan("plan", "-e", "strict", rows=rows)
    assert code == 1
    assert "  - crm" in out
    assert "refused: too many deletes: 1 of 2 users (50 %) is over the limit of 0" in err
    assert "--allow-deletes 1" in err
    code, out, err = plan("plan", "-e", "strict", "--allow-deletes", "1", rows=rows)
    assert (code, "refused" in err) == (0, False)
    assert "  - crm" in out


def test_the_allowance_may_be_given_before_or_after_the_command(plan: Plan) -> None:
    rows = ("billing-mailer", "crm", "shop")
    for before, behind, code in ((("--allow-deletes", "2"), (), 0), ((), ("--allow-deletes=2",), 0), ((), (), 1)):
        arguments = ("-e", "strict", *before, "plan", *behind)
        assert plan(*arguments, rows=rows)[0] == code


def test_a_plan_that_deletes_everyone_takes_both_allowances(plan: Plan) -> None:
    def judged(*arguments: str) -> tuple[int, str]:
        code, _, err = plan(*arguments, declared="users: []\n", rows=("crm",))
        return code, err

    code, err = judged("plan", "-e", "strict", "--allow-deletes", "1")
    assert code == 1
    assert LAST in err
    code, err = judged("plan", "-e", "strict", "--allow-empty")
    assert code == 1
    assert "too many deletes: 1 of 1 user" in err
    assert judged("plan", "-e", "strict", "--allow-empty", "--allow-deletes", "1")[0] == 0
    assert judged("--allow-empty", "plan", "-e", "strict", "--allow-deletes", "1")[0] == 0


def test_creates_over_the_limit_are_refused_and_allowed_by_their_number(world: World, checkout: Checkout) -> None:
    checkout.limits["max_creates"] = 1
    checkout.configure()
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    for command in ("plan", "apply"):
        refused = checkout.run(command)
        assert (refused.code, refused.writes) == (1, [])
        assert "refused: too many creates: 2 is over the limit of 1" in refused.err
        assert "run again with --allow-creates 2" in refused.err
    assert checkout.run("plan", "--allow-creates", "2").code == 0
    assert checkout.run("apply", "--no-wait", "--allow-creates", "2").code == 0


@pytest.mark.parametrize(("rows", "code"), [((), 2), (("billing-mailer",), 0)])
def test_changes_are_told_by_the_exit_code_on_request_only(rows: tuple[str, ...], code: int, plan: Plan) -> None:
    assert plan("plan", "-e", "strict", rows=rows)[0] == 0
    assert plan("plan", "-e", "strict", "--detailed-exitcode", rows=rows)[0] == code


def test_a_plan_of_the_wrong_account_reads_nothing_and_says_that_nothing_was_planned(plan: Plan) -> None:
    code, out, err = plan("plan", "-e", "strict", "--allow-empty", rows=("crm",), account="111122223333")
    assert code == 1
    assert out.splitlines()[-1] == "Refused: nothing was planned."
    refused = "credentials are for account 111122223333; environment strict is configured for account 444455556666"
    assert f"refused: {refused}" in err


def test_a_plan_in_other_forms_holds_the_same(plan: Plan) -> None:
    _, out, _ = plan("plan", "-e", "strict", "--format", "json")
    assert [change["name"] for change in json.loads(out)["changes"]] == ["billing-mailer"]
    _, out, _ = plan("plan", "-e", "strict", "--format", "markdown")
    assert "| `billing-mailer` |" in out


def assert_steers_nothing(*texts: str) -> None:
    for text in texts:
        assert_log_is_neutral(text)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_no_row_steers_the_output_of_a_plan(form: str, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record may have any name: a writer of the table chose it."""
    code, out, err = plan("plan", "-e", "strict", "--format", form, rows=(HOSTILE, f"{HOSTILE}2"))
    assert code == 1
    assert out.count("::error::") == 2
    assert_steers_nothing(out, err)


def test_no_row_steers_the_output_of_a_run(plan: Plan) -> None:
    """The complete output with every kind of result: removed, failed, changed by another run, refused."""
    rows = (HOSTILE, f"{HOSTILE}2", f"{HOSTILE} lost", f"{HOSTILE} refused")
    code, out, err = plan("-e", "strict", "--allow-deletes", "9", rows=("billing-mailer", *rows))
    assert code == 3
    assert out.count("::error::") >= 4 + 3
    assert err.count("::error::") >= 2
    assert_steers_nothing(out, err)


@pytest.mark.parametrize("status", ["disabled", HOSTILE])
def test_a_credential_is_printed_with_a_note_on_its_user_that_steers_nothing(
    status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """I6: the password occurs only on standard output."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, Bad("credentials", {}, (), env="strict"))
    found = replace(row("crm"), status=status, smtp_username="AKIAEXAMPLE1", encrypted_credentials=b"sealed")
    monkeypatch.setattr(credentials_module, "connect_checked", lambda *_: FakeConnection([found], "444455556666"))
    assert cli.run(["credentials", "crm", "-e", "strict"]) == 0
    out, err = capsys.readouterr()
    assert "password   the password of crm\n" in out
    assert "password" not in err
    assert err.startswith("note: 'crm' is ")
    assert len(err.splitlines()) == 1
    assert_steers_nothing(out, err)
