"""The command line. Heavy imports wait until a command needs them: `--help` and `validate` know no AWS."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from reconciler import __version__
from reconciler.cli.operator_cli import resume, retry, revoke
from reconciler.cli.options import Paths, Selected, allowance_options, env_option, load
from reconciler.cli.sandbox import sandbox
from reconciler.errors import EXIT_CHANGES, EXIT_ERROR, EXIT_OK, ReconcileError

EPILOG = """\b
Examples:
  reconcile validate --env test          check the manifests, offline
  reconcile plan --env test              show what would change
  reconcile --env test                   make it so, and wait
  reconcile status --env test            every user
  reconcile drift --env test             what differs between Git, rows and IAM
  reconcile credentials NAME --env test  what a mail client needs
  reconcile revoke NAME --env test --reason "key seen in public"
  reconcile resume NAME --env test
  reconcile retry --all-failed --env test

\b
Exit codes:
  0  done, or nothing to do
  1  error or refusal; nothing was changed
  2  plan --detailed-exitcode: there are changes; drift: something differs
  3  changes were made, but some failed, timed out or lost a race; run again
  130  stopped by Ctrl-C
"""


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
    from reconciler.engine.reconcile import Choices, reconcile
    from reconciler.planning.limits import Allowance

    choices = Choices(Allowance(allow_deletes, allow_empty), yes, wait, timeout)
    return reconcile(load(context.obj, None), users, sandbox_dir, choices)


@cli.command()
@env_option
@click.pass_obj
def validate(selected: Selected, env: str | None) -> int:
    """Check the manifests. Offline: needs no AWS credentials.

    Without --env, every environment of reconcile.yaml is checked.
    """
    from reconciler.cli.validate import validate_environments

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
    from reconciler.engine.reconcile import prepare
    from reconciler.output.plan import to_json, to_markdown
    from reconciler.output.terminal import say, show_plan, show_refusals
    from reconciler.planning.limits import Allowance

    paths = selected.paths
    allowance = Allowance(max(allow_deletes, selected.allow_deletes), allow_empty or selected.allow_empty)
    made = prepare(load(selected, env), paths.users, paths.sandbox, allowance).plan
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
    from reconciler.cli.status import status as show

    show(load(selected, env), name, form, selected.paths.sandbox)
    return EXIT_OK


@cli.command()
@env_option
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@click.pass_obj
def drift(selected: Selected, env: str | None, form: str) -> int:
    """Hold manifests, rows and IAM against each other. Reads only; exits 2 when something differs."""
    from reconciler.cli.drift import drift as show

    return show(load(selected, env), selected.paths.users, selected.paths.sandbox, form)


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
    from reconciler.cli.credentials import read_credentials
    from reconciler.output.terminal import say

    say(read_credentials(load(selected, env), name, region, form, selected.paths.sandbox))
    return EXIT_OK


for _command in (retry, revoke, resume, sandbox):
    cli.add_command(_command)


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
        from reconciler.output.terminal import show_error

        show_error(error)
        return error.exit_code
    except Exception as error:  # a defect of ours: one line all the same, the rest on request
        if os.environ.get("RECONCILE_DEBUG"):
            raise
        click.echo(f"internal error: {type(error).__name__}; RECONCILE_DEBUG=1 shows where", err=True)
        return EXIT_ERROR
