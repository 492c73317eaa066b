"""`plan --out` and `apply --plan`: what was reviewed is what is applied, through the command."""

from __future__ import annotations

import json
import subprocess
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from reconciler import __version__
from support.runs import Checkout, an_entry
from support.world import TABLE, World


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


@pytest.fixture
def planned(world: World, checkout: Checkout, plan_file: Path) -> Checkout:
    """Two users exist; the plan widens one, deletes the other and creates a third."""
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    checkout.reconcile(world)
    checkout.declare(an_entry("crm", "crm@example.com", "hr@example.com"), an_entry("new"))
    assert checkout.run("plan", "--out", str(plan_file)).code == 0
    return checkout


def test_exactly_the_plan_is_applied(world: World, planned: Checkout, plan_file: Path) -> None:
    outcome = planned.reconcile(world, "apply", "--yes", "--plan", str(plan_file))
    assert outcome.code == 0, outcome.err
    assert outcome.writes == ["UpdateItem"] * 3
    assert {record.name for record in world.store.records()} == {"crm", "new"}
    again = planned.run("apply", "--yes", "--plan", str(plan_file))
    assert again.code == 1
    assert "records changed since the plan: crm, new, wiki; nothing was changed" in again.err


def test_the_file_is_for_programs_and_has_no_secret(planned: Checkout, plan_file: Path) -> None:
    document = json.loads(plan_file.read_text(encoding="utf-8"))
    assert {*document} == {
        "format", "version", "environment", "commit", "settings", "manifests", "records", "applied", "plan", "checksum",
    }  # fmt: skip
    examples = {change["name"]: change["example"] for change in document["plan"]["changes"]}
    assert examples == {
        "crm": "may send as hr@example.com from anywhere",
        "new": "may send as new@example.com from anywhere",
        "wiki": None,
    }  # fmt: skip
    assert "AKIA" not in plan_file.read_text(encoding="utf-8")


def refused(checkout: Checkout, plan_file: Path, told: str) -> None:
    outcome = checkout.run("apply", "--yes", "--plan", str(plan_file))
    assert outcome.code == 1
    assert not outcome.writes
    assert not outcome.stored
    (line,) = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert line == f"error: {plan_file}: {told}; nothing was changed"


def test_manifests_that_changed_are_refused(planned: Checkout, plan_file: Path) -> None:
    planned.declare(an_entry("crm", "crm@example.com", "*@example.com"), an_entry("new"))
    refused(planned, plan_file, "manifests differ from those of the plan")


def test_settings_that_changed_are_refused(planned: Checkout, plan_file: Path) -> None:
    planned.configure(allow_wildcards=False)
    refused(planned, plan_file, "settings differ from those of the plan")


def test_another_table_is_refused(world: World, checkout: Checkout, plan_file: Path) -> None:
    checkout.declare(an_entry("crm"))
    assert checkout.run("plan", "--out", str(plan_file)).code == 0
    about = world.dynamodb.describe_table(TableName=TABLE)["Table"]
    keys = {name: about[name] for name in ("KeySchema", "AttributeDefinitions")}
    world.dynamodb.create_table(TableName="another", BillingMode="PAY_PER_REQUEST", **keys)
    checkout.configure(table="another")
    refused(checkout, plan_file, "settings differ from those of the plan")


def test_a_record_that_changed_is_refused(world: World, planned: Checkout, plan_file: Path) -> None:
    world.revoke("wiki")
    refused(planned, plan_file, "records changed since the plan: wiki")


def test_users_that_become_active_while_the_plan_waits_refuse_nothing(
    world: World, checkout: Checkout, plan_file: Path
) -> None:
    checkout.declare(an_entry("crm"))
    assert checkout.run("apply", "--yes").code == 0
    checkout.declare(an_entry("crm"), an_entry("new"))
    assert checkout.run("plan", "--out", str(plan_file)).code == 0
    world.converge("crm")
    assert world.record("crm").status == "active"
    assert checkout.reconcile(world, "apply", "--yes", "--plan", str(plan_file)).code == 0


def test_another_version_is_refused(planned: Checkout, plan_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.engine.reconcile.__version__", "99.0")
    refused(planned, plan_file, f"planned by version {__version__}; this is version 99.0")


def test_what_only_time_changes_is_refused_with_its_reason(
    world: World, checkout: Checkout, plan_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = date.today()  # noqa: DTZ011 - tests on both sides of midnight
    checkout.declare(an_entry("crm", expires=str(today + timedelta(days=2))))
    checkout.reconcile(world)
    assert checkout.run("plan", "--out", str(plan_file)).code == 0

    class Later:
        @staticmethod
        def now(zone: tzinfo) -> datetime:
            return datetime.now(zone) + timedelta(days=9)

    monkeypatch.setattr("reconciler.engine.reconcile.datetime", Later)
    refused(checkout, plan_file, "the plan is different now: crm: expired: its access key becomes inactive")


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=users")
    return git(folder, "rev-parse", "HEAD")


def test_another_commit_is_refused(world: World, checkout: Checkout, tmp_path: Path) -> None:
    git(checkout.root, "init", "--quiet", "--initial-branch=main")
    plan_file = tmp_path.parent / f"{tmp_path.name}.json"
    checkout.declare(an_entry("crm"))
    before = commit(checkout.root)
    assert checkout.run("plan", "--out", str(plan_file)).code == 0
    after = commit(checkout.root)
    refused(checkout, plan_file, f"planned at commit {before}; this is {after}")


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b'{"format": 1}', b"a" * 100])
def test_any_other_file_is_refused(checkout: Checkout, plan_file: Path, content: bytes, world: World) -> None:
    checkout.declare(an_entry("crm"))
    plan_file.write_bytes(content)
    refused(checkout, plan_file, "it is not a plan file")


def test_a_huge_file_is_not_read(checkout: Checkout, plan_file: Path, world: World) -> None:
    with plan_file.open("wb") as file:
        file.truncate(65 << 20)
    outcome = checkout.run("apply", "--yes", "--plan", str(plan_file))
    assert (outcome.code, outcome.calls) == (1, [])
    assert "it is not a plan file" in outcome.err


def test_a_missing_file_is_one_line(checkout: Checkout, plan_file: Path, world: World) -> None:
    checkout.declare(an_entry("crm"))
    outcome = checkout.run("apply", "--yes", "--plan", str(plan_file))
    assert (outcome.code, outcome.calls) == (1, [])
    assert outcome.err.splitlines()[0] == f"error: {plan_file}: no such file or directory"


def test_a_plan_that_was_refused_is_never_applied(world: World, checkout: Checkout, plan_file: Path) -> None:
    checkout.declare(*(an_entry(name) for name in ("crm", "wiki", "one", "two")))
    checkout.reconcile(world)
    checkout.declare(an_entry("crm"))
    assert checkout.run("plan", "--out", str(plan_file)).code == 1
    outcome = checkout.run("apply", "--yes", "--plan", str(plan_file))
    assert outcome.code == 1
    assert "refused: too many deletes: 3 of 4" in outcome.err
    allowed = checkout.run("apply", "--yes", "--allow-deletes", "3", "--plan", str(plan_file))
    assert "the plan is different now" in allowed.err


def test_a_comment_of_a_plan_links_to_the_lines(planned: Checkout) -> None:
    shown = planned.run("plan", "--format", "comment", "--links", "https://github.com/example/smtp-users/blob/3f2a")
    assert shown.code == 0
    assert shown.out.startswith("<!-- reconcile-plan: test -->\n")
    assert "**2 users may send more than before** · **1 delete**" in shown.out


def test_a_comment_says_why_there_is_no_plan(planned: Checkout) -> None:
    planned.declare(an_entry("crm", "crm@example.net"))
    shown = planned.run("plan", "--format", "comment")
    assert (shown.code, shown.calls) == (1, [])
    assert "**No plan could be made.**" in shown.out
    assert "error: 1 problem found; nothing was changed" in shown.err


@pytest.fixture
def proposal(world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The commits of a pull request in a workflow of GitHub, after main was applied."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    git(checkout.root, "init", "--quiet", "--initial-branch=main")
    checkout.declare(an_entry("crm"))
    monkeypatch.setenv("GITHUB_SHA", main := commit(checkout.root))
    assert checkout.reconcile(world).code == 0
    git(checkout.root, "switch", "--quiet", "--create", "change")
    checkout.declare(an_entry("crm"), an_entry("new"))
    head = commit(checkout.root)
    git(checkout.root, "switch", "--quiet", "main")
    git(checkout.root, "merge", "--quiet", "--no-ff", "--message=merge", "change")
    return {"main": main, "head": head, "merge": git(checkout.root, "rev-parse", "HEAD")}


def test_the_plan_of_a_pull_request_is_made_for_its_merge(
    checkout: Checkout, proposal: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As plan.yml does it: the workflow runs for a commit of main."""
    monkeypatch.setenv("GITHUB_SHA", proposal["main"])
    assert "the workflow runs for commit" in checkout.run("plan", "--format", "comment").out
    monkeypatch.setenv("GITHUB_SHA", proposal["merge"])
    shown = checkout.run("plan", "--format", "comment", "--sandbox-dir", "none")
    assert shown.code == 0
    assert "**1 user may send more than before** · 1 unchanged" in shown.out
    assert f"Planned for `{proposal['merge'][:12]}`" in shown.out
    assert "> **" not in shown.out


def test_a_pull_request_cannot_move_its_plan_to_another_place(
    checkout: Checkout, proposal: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It decides the settings, too: with another account or a local AWS, there is no plan."""
    monkeypatch.setenv("GITHUB_SHA", proposal["merge"])
    for changes, told in (
        ({"local": True}, "the sandbox is not running"),
        ({"account_id": "999988887777"}, "are for account"),
    ):
        checkout.configure(**changes)
        shown = checkout.run("plan", "--format", "comment", "--sandbox-dir", str(tmp_path / "none"))
        assert shown.code == 1
        assert told in shown.out
    secret = tmp_path / "secret"
    secret.write_text("password: hunter2\n", encoding="utf-8")
    (checkout.root / "users" / "test" / "link.yaml").symlink_to(secret)
    checkout.configure()
    shown = checkout.run("plan", "--format", "comment")
    assert (shown.code, shown.calls) == (1, [])
    assert "is a link" in shown.out
    assert "hunter2" not in shown.out + shown.err
