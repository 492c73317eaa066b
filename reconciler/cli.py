"""The command line. Heavy imports wait until a command needs them: `--help` and `validate` know no AWS."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reconciler import __version__
from reconciler.errors import EXIT_CHANGES, EXIT_ERROR, EXIT_OK, ReconcileError

EPILOG = """\b
Examples:
  reconcile validate --env test          check the manifests, offline
  reconcile plan --env test              show what would change
  reconcile --env test                   make it so, and wait
  reconcile status --env test            every user
  reconcile credentials NAME --env test  what a mail client needs

\b
Exit codes:
  0  done, or nothing to do
  1  error or refusal; nothing was changed
  2  plan --detailed-exitcode only: there are changes
  3  changes were made, but some failed, timed out or lost a race; run again
  130  stopped by Ctrl-C
"""


@dataclass(frozen=True, slots=True)
class Paths:
    config: Path
    users: Path
    sandbox: Path


@dataclass(slots=True)
class Selected:
    """What stands before the subcommand."""

    env: str | None
    paths: Paths
    allow_deletes: int
    allow_empty: bool


def env_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--env", "-e", help="Environment of reconcile.yaml, for example test.")(command)


def allowance_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--allow-empty", is_flag=True, help="Allow that no user is declared at all.")(command)
    return click.option("--allow-deletes", type=click.IntRange(0), default=0, metavar="N",
                        help="Allow up to N deletes, over the environment's limits.")(command)  # fmt: skip


@click.group(invoke_without_command=True, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@env_option
@click.option("--config", type=click.Path(path_type=Path), default=Path("reconcile.yaml"), show_default=True,
              help="The environments file.")  # fmt: skip
@click.option("--users", type=click.Path(path_type=Path), default=Path("users"), show_default=True,
              help="Folder that holds <env>/*.yaml.")  # fmt: skip
@click.option("--sandbox-dir", type=click.Path(path_type=Path), default=Path(".sandbox"), envvar="RECONCILE_SANDBOX",
              show_default=True, help="Where the sandbox keeps its state.")  # fmt: skip
@click.option("--yes", "-y", is_flag=True, help="Do not ask before deleting.")
@allowance_options
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow every touched user to its end.")
@click.option("--timeout", type=click.FloatRange(0), default=300.0, show_default=True, help="Seconds to wait.")
@click.version_option(__version__, prog_name="reconcile")
@click.pass_context
def cli(
    context: click.Context, env: str | None, config: Path, users: Path, sandbox_dir: Path, yes: bool,
    allow_deletes: int, allow_empty: bool, wait: bool, timeout: float,
) -> int:  # fmt: skip
    """Grant the right to send mail through Amazon SES by pull request.

    `reconcile --env ENV` makes an environment what its manifests in users/ENV declare: it validates, plans,
    stops at its rails, writes, and waits until every touched user has its credential or is gone.
    """
    context.obj = Selected(env, Paths(config, users, sandbox_dir), allow_deletes, allow_empty)
    if context.invoked_subcommand:
        return EXIT_OK
    from reconciler.core.guard import Allowance
    from reconciler.run import Choices, reconcile

    choices = Choices(Allowance(allow_deletes, allow_empty), yes, wait, timeout)
    return reconcile(_environment(context.obj, None), users, sandbox_dir, choices)


@cli.command()
@env_option
@click.pass_obj
def validate(selected: Selected, env: str | None) -> int:
    """Check the manifests. Offline: needs no AWS credentials.

    Without --env, every environment of reconcile.yaml is checked.
    """
    from reconciler.validate import validate_environments

    names = [name] if (name := env or selected.env) else []
    return validate_environments(selected.paths.config, selected.paths.users, names)


@cli.command()
@env_option
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes, as Terraform does.")
@allowance_options
@click.pass_obj
def plan(
    selected: Selected, env: str | None, form: str, detailed_exitcode: bool, allow_deletes: int, allow_empty: bool
) -> int:
    """Show what `reconcile` would do. Reads only.

    A plan that the rails would refuse is shown with the refusal, and exits 1.
    """
    from reconciler.core.guard import Allowance
    from reconciler.core.render import to_json, to_markdown
    from reconciler.run import prepare
    from reconciler.terminal import say, show_plan, show_refusals

    paths = selected.paths
    allowance = Allowance(max(allow_deletes, selected.allow_deletes), allow_empty or selected.allow_empty)
    made = prepare(_environment(selected, env), paths.users, paths.sandbox, allowance).plan
    if form == "text":
        show_plan(made)
        show_refusals(made.refusals)
    else:
        say(to_json(made) if form == "json" else to_markdown(made))
    if made.refusals:
        return EXIT_ERROR
    return EXIT_CHANGES if detailed_exitcode and made.lines else EXIT_OK


@cli.command()
@env_option
@click.argument("name", required=False, default="")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def status(selected: Selected, env: str | None, name: str, form: str) -> int:
    """Show every user, or the one named: status, addresses, key age, reason of a failure."""
    from reconciler.status import status as show

    show(_environment(selected, env), name, form, selected.paths.sandbox)
    return EXIT_OK


@cli.command()
@env_option
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["text", "env", "json"]), default="text", show_default=True)
@click.option("--region", default="", help="SES region; the environment's first when left out.")
@click.pass_obj
def credentials(selected: Selected, env: str | None, name: str, form: str, region: str) -> int:
    """Print what a mail client needs: host, ports, user name and password.

    Decrypts with your own KMS permission; CloudTrail records who read it.
    """
    from reconciler.credentials import read_credentials
    from reconciler.terminal import say

    say(read_credentials(_environment(selected, env), name, region, form, selected.paths.sandbox))
    return EXIT_OK


@cli.group()
def sandbox() -> None:
    """A local AWS with the real Lambda zip deployed on it, for environment `sandbox`."""


@sandbox.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, envvar="RECONCILE_SANDBOX_PORT",
              help="Port on 127.0.0.1; a free one when left out.")  # fmt: skip
@click.option("--bare", is_flag=True, help="Deploy nothing on it: for make apply ENV=sandbox.")
@click.pass_obj
def up(selected: Selected, port: int, bare: bool) -> int:
    """Start it and deploy the pipeline. Does nothing when it is up."""
    from reconciler.sandbox.commands import bring_up

    return bring_up(_environment(selected, "sandbox"), selected.paths.sandbox, port, bare=bare)


@sandbox.command()
@click.pass_obj
def down(selected: Selected) -> int:
    """Stop it. Nothing is left behind."""
    from reconciler.sandbox.commands import bring_down

    return bring_down(selected.paths.sandbox)


@sandbox.command(name="status")
@click.pass_obj
def sandbox_status(selected: Selected) -> int:
    """Tell whether it is up, and where. Exits 1 when it is not."""
    from reconciler.sandbox.commands import show_status

    return show_status(selected.paths.sandbox)


def _environment(selected: Selected, env: str | None) -> Any:
    from reconciler.settings import load_environment

    name = env or selected.env
    if not name:
        raise click.UsageError("Which environment? Add --env, for example --env test.")
    return load_environment(selected.paths.config, name)


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Every error a person can cause ends in one line and its exit code, never in a traceback."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """The command line as a function: prints, and returns the exit code."""
    try:
        return int(cli.main(arguments, prog_name="reconcile", standalone_mode=False) or EXIT_OK)
    except click.ClickException as error:
        error.show()
        return EXIT_ERROR  # 2 means `there are changes`
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; run again to go on", err=True)
        return 130
    except ReconcileError as error:
        from reconciler.terminal import show_error

        show_error(error)
        return error.exit_code
    except Exception as error:  # a defect of ours: one line all the same, the rest on request
        if os.environ.get("RECONCILE_DEBUG"):
            raise
        click.echo(f"internal error: {type(error).__name__}; RECONCILE_DEBUG=1 shows where", err=True)
        return EXIT_ERROR
