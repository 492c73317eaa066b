"""Options, suggestions, completion and prompts of the command line."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from reconciler.cli import main as cli
from reconciler.cli.main import COMMANDS
from reconciler.cli.options import VALUE_OPTIONS
from reconciler.engine import reconcile as engine
from reconciler.errors import ReconcileError
from reconciler.output import terminal
from support.runs import Checkout, an_entry
from support.world import World

CONTEXT = click.Context(cli.cli)


def leaf_commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = cli.cli.get_command(CONTEXT, name)
        assert command
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", found) for sub, found in command.commands.items())
        else:
            yield name, command


def test_the_group_knows_every_option_that_takes_a_value() -> None:
    options = [parameter for _, command in leaf_commands() for parameter in command.params]
    taking = {
        text for option in options if isinstance(option, click.Option) and not option.is_flag for text in option.opts
    }
    assert taking == VALUE_OPTIONS


def test_every_command_says_in_one_line_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, (_, line) in COMMANDS.items():
        assert line in " ".join(shown.split())
        assert any(shown_line.startswith(f"  {name} ") for shown_line in shown.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "--env", "test", "--format", "json"),
        ("--env", "test", "plan", "--format", "json"),
        ("--env", "test", "--format", "json", "plan"),
        ("--format=json", "plan", "-e", "test"),
        ("-e", "test", "--format", "json", "plan"),
    ],
)
def test_options_mean_the_same_before_and_after_the_command(
    words: tuple[str, ...], world: World, checkout: Checkout
) -> None:
    checkout.declare(an_entry("crm"))
    paths = ["--config", str(checkout.root / "reconcile.yaml"), "--users", str(checkout.root / "users")]
    for arguments in ([*paths, *words], [*words, *paths]):
        checkout.capsys.readouterr()
        assert cli.run(arguments) == 0
        assert '"action": "create"' in checkout.capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--timeout", "3", "validate"], "--timeout"),
        (["validate", "--allow-empty"], "--allow-empty"),
        (["--allow-deletes", "3", "status", "--env", "test"], "--allow-deletes"),
        (["--yes", "plan", "--env", "test"], "--yes"),
        (["--no-wait", "drift", "--env", "test"], "--no-wait"),
        (["--env", "test", "sandbox", "up"], "--env"),
        (["sandbox", "--bare", "status"], "--bare"),
        (["credentials", "crm", "--env", "test", "--wait"], "--wait"),
    ],
)
def test_an_option_that_the_command_does_not_use_is_an_error(
    words: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 1
    assert f"No such option '{option}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--yes"], "Missing option '--env' (for example: --env test)."),
        (["status"], "Missing option '--env' (for example: --env test)."),
        (["paln", "--env", "test"], "No such command 'paln'. Did you mean 'plan'?"),
        (["sandbox", "dwn"], "No such command 'dwn'. Did you mean 'down'?"),
        (["plan", "--evn", "test"], "No such option '--evn'. Did you mean '--env'?"),
    ],
)
def test_a_mistake_is_named_with_the_closest_spelling(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 1
    assert message in capsys.readouterr().err


def test_the_closest_environment_and_user_are_suggested(world: World, checkout: Checkout) -> None:
    checkout.declare(an_entry("crm-mailer"))
    checkout.reconcile(world)
    paths = ["--config", str(checkout.root / "reconcile.yaml"), "--users", str(checkout.root / "users")]
    assert cli.run([*paths, "plan", "--env", "tset"]) == 1
    assert "did you mean 'test'?" in checkout.capsys.readouterr().err
    for command in ("status", "credentials", "resume", "retry"):
        outcome = checkout.run(command, "crm-maler")
        assert outcome.code == 1
        assert "no SMTP user 'crm-maler' in test" in outcome.err
        assert "did you mean 'crm-mailer'?" in outcome.err


def complete(words: list[str], incomplete: str) -> list[str]:
    completion = ShellComplete(cli.cli, {}, "reconcile", "_RECONCILE_COMPLETE")
    return [item.value for item in completion.get_completions(words, incomplete)]


def test_completion_knows_commands_options_environments_and_users(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.declare(an_entry("crm"), an_entry("wiki"))
    monkeypatch.chdir(checkout.root)
    assert complete([], "re") == ["report", "retry", "revoke", "resume", "remove"]
    assert complete(["--env", "test"], "st") == ["status"]
    assert complete(["--env"], "te") == ["test"]
    assert complete(["plan", "--env"], "") == ["test"]
    assert complete(["revoke", "--env", "test"], "c") == ["crm"]
    assert complete(["--env", "test", "credentials"], "") == ["crm", "wiki"]
    assert "--allow-deletes" in complete([], "--a")
    assert complete(["status", "--env", "nope"], "c") == []


@pytest.mark.parametrize(
    ("value", "counts"), [("true", True), ("1", True), ("false", False), ("0", False), ("", False)]
)
def test_ci_counts_only_where_its_variable_says_so(value: str, counts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", value)
    assert terminal.in_ci() is counts


Type = Callable[[str], None]


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Type]:
    """A pseudo-terminal as standard input, with simulated typing."""
    keyboard, terminal = pty.openpty()
    monkeypatch.delenv("CI", raising=False)
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield lambda text: os.write(keyboard, text.encode()) and None
    os.close(keyboard)


@pytest.mark.parametrize(("answer", "writes", "code"), [("n\n", [], 1), ("y\n", ["UpdateItem"], 0), ("\n", [], 1)])
def test_on_a_terminal_a_person_is_asked_before_any_write(
    answer: str, writes: list[str], code: int, world: World, checkout: Checkout, person: Type
) -> None:
    """Standard output is not a terminal here, as in `reconcile apply | tee`."""
    checkout.declare(an_entry("crm"))
    person(answer)
    outcome = checkout.run("apply")
    assert "Apply 1 change to test? [y/N]" in outcome.err
    assert (outcome.writes, outcome.code) == (writes, code)
    assert ("not confirmed; nothing was changed" in outcome.err) is (code == 1)


def test_operators_are_asked_too_and_yes_answers(world: World, checkout: Checkout, person: Type) -> None:
    checkout.declare(an_entry("crm"))
    checkout.reconcile(world, "apply", "--yes")
    person("n\n")
    refused = checkout.run("revoke", "crm", "--reason", "key was published")
    assert "Revoke crm in test? All its access keys become inactive." in refused.err
    assert (refused.writes, refused.code) == ([], 1)
    assert checkout.run("revoke", "crm", "--reason", "key was published", "--yes").writes == ["UpdateItem"]


def test_nothing_is_asked_in_ci(
    world: World, checkout: Checkout, person: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.declare(an_entry("crm"))
    monkeypatch.setenv("CI", "true")
    outcome = checkout.run("apply")
    assert "[y/N]" not in outcome.err
    assert outcome.writes == ["UpdateItem"]


def test_a_closed_standard_input_is_no_terminal(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.declare(an_entry("crm"))
    monkeypatch.setattr(sys, "stdin", None)
    assert checkout.run("apply").code == 0


BROKEN = [
    ReconcileError("something", "a hint"),
    OSError(errno.ENOSPC, "No space left on device"),
    ValueError("a defect"),
    RuntimeError("a defect"),
]


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_whatever_fails_before_the_first_write_exits_1_and_after_it_3(
    error: Exception, world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.declare(an_entry("crm"))

    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(engine, "show_plan", fail)
        outcome = checkout.run("apply")
        assert (outcome.code, outcome.writes) == (1, [])
    with monkeypatch.context() as patched:
        patched.setattr(engine, "show_progress", fail)
        outcome = checkout.run("apply", "--wait")
        assert (outcome.code, outcome.writes) == (3, ["UpdateItem"])
    assert "Traceback" not in outcome.err
    assert len(outcome.err.splitlines()) == 2
    with monkeypatch.context() as patched:
        patched.setenv("RECONCILE_DEBUG", "1")
        patched.setattr(engine, "show_progress", fail)
        checkout.declare(an_entry("other"), team="second")
        outcome = checkout.run("apply", "--wait")
    assert outcome.code == 3
    assert ("Traceback" in outcome.err) != isinstance(error, ReconcileError)


def test_a_full_disk_does_not_change_the_exit_code(checkout: Checkout) -> None:
    checkout.configure(local=True)
    checkout.declare(an_entry("crm"))
    command = [sys.executable, "-m", "reconciler", "validate"]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            command, cwd=checkout.root, stdout=full, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}, check=False,
        )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr == "error: no space left on device\n  hint: check permissions and free space\n"


def test_validate_accepts_files_for_pre_commit(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout.configure(local=True)  # example values are refused elsewhere
    checkout.declare(an_entry("crm"))
    checkout.declare({"name": "no-owner"}, team="broken")
    monkeypatch.chdir(checkout.root)
    assert cli.run(["validate", "users/test/team.yaml"]) == 1
    assert "users/test/broken.yaml:2" in checkout.capsys.readouterr().err
    (checkout.root / "users" / "test" / "broken.yaml").unlink()
    for words in (["users/test/team.yaml"], ["reconcile.yaml"], [str(checkout.root / "users" / "test" / "team.yaml")]):
        assert cli.run(["validate", *words]) == 0
        assert "test: 1 user in 1 manifest, valid" in checkout.capsys.readouterr().out
    assert cli.run(["validate", "README.md"]) == 1
    assert "README.md belongs to no environment" in checkout.capsys.readouterr().err
