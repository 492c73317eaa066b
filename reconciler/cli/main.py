"""The `reconcile` command. A command's module is imported when the command runs, so `--help` stays fast."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from io import StringIO

import click

from reconciler import __version__
from reconciler.cli.group import CommandGroup
from reconciler.errors import EXIT_ERROR, EXIT_OK, ReconcileError

EPILOG = """\b
Examples:
  reconcile validate                     check all manifests
  reconcile init DIR                     create a repository for manifests
  reconcile add NAME --env test --from ADDRESS --owner ADDRESS
  reconcile diff                         show whose permissions a branch changes
  reconcile plan --env test              show what apply would change
  reconcile apply --env test             apply the changes and wait
  reconcile --env test                   the same
  reconcile status --env test            list all users
  reconcile credentials NAME --env test  print the SMTP credentials of a user
  reconcile revoke NAME --env test --reason "key was published"

\b
Options can be given before or after the command.

\b
Exit codes:
  0    success, or nothing to do
  1    error or refusal; nothing was changed
  2    plan and diff --detailed-exitcode: there are changes; drift: there are differences;
       dns: records are missing or wrong; explain: the user may not send
  3    changes were made, but some failed, timed out or lost a race; run again
  130  interrupted (Ctrl-C)
"""

# A command lives for a short time and drops little that only the collector can free: it need not look for it often.
GARBAGE = 200_000

# Each command with its module and its line in `reconcile --help`.
COMMANDS = {
    "validate": ("validate", "Check manifests and reconcile.yaml. Reads only files."),
    "diff": ("diff", "Show how permissions change between two commits. Reads only files and Git."),
    "plan": ("plan", "Show what apply would change. Changes nothing."),
    "apply": ("apply", "Apply the manifests: create, update and delete users."),
    "status": ("status", "List users with status, addresses and key age."),
    "history": ("history", "Show when a user's permission changed, who changed it, and how."),
    "who-can-send-as": ("sending", "List the users that may send as an address."),
    "explain": ("sending", "Explain why a user may or may not send as an address."),
    "drift": ("drift", "Compare manifests, DynamoDB records and IAM users."),
    "report": ("report", "Write the access review: a page with CSV and JSON."),
    "environments": ("environments", "List the environments on AWS, in the order of reconcile.yaml."),
    "dns": ("dns", "Compare published DNS records with what SES requires."),
    "credentials": ("credentials", "Print the SMTP credentials of a user."),
    "retry": ("operator", "Retry users in status failed, pending or deleting."),
    "revoke": ("operator", "Deactivate all access keys of a user at once."),
    "resume": ("operator", "Lift a revocation; the manifest applies again."),
    "add": ("edit", "Add a user to a manifest, for a pull request."),
    "rotate": ("edit", "Raise `credential` in a manifest: a new password."),
    "disable": ("edit", "Set `enabled: false` in a manifest."),
    "enable": ("edit", "Set `enabled: true` in a manifest."),
    "remove": ("edit", "Remove a user from its manifest."),
    "init": ("init", "Create a repository of your own for manifests."),
    "package": ("package", "Build the zip of the Lambda functions, for Terraform."),
    "sandbox": ("sandbox", "Start, stop or show a local AWS for environment sandbox."),
}


def _function(command: str) -> str:
    return command.replace("-", "_")


class LazyGroup(CommandGroup):
    default_command = "apply"

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"reconciler.cli.{COMMANDS[cmd_name][0]}"), _function(cmd_name))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[click.shell_completion.CompletionItem]:
        found = super().shell_complete(ctx, incomplete)
        default = self.get_command(ctx, self.default_command) if incomplete.startswith("-") else None
        return found + default.shell_complete(ctx, incomplete) if default else found


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="reconcile")
def cli() -> None:
    """Grant permission to send mail through Amazon SES by pull request.

    SMTP users are declared in users/ENV/*.yaml. `reconcile apply --env ENV` validates them, shows the plan, runs
    safety checks, writes the changes and waits until each changed user is active, disabled or deleted.
    """


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Every error that a user can cause ends in one line and its exit code, never in a traceback."""
    gc.set_threshold(GARBAGE)
    code = run(arguments)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:  # the reader has gone or the disk is full: Python would replace the exit code
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def run(arguments: list[str] | None = None) -> int:
    """The command line as a function: prints, and returns the exit code."""
    try:
        return int(cli.main(arguments, prog_name="reconcile", standalone_mode=False) or EXIT_OK)
    except click.ClickException as error:
        _show_usage(error)
        return EXIT_ERROR  # click's own 2 means `there are changes` here
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; run the command again to continue", err=True)
        return 130
    except ReconcileError as error:
        from reconciler.output.terminal import show_error  # an import that only errors need

        if os.environ.get("RECONCILE_DEBUG") and not isinstance(error.__cause__, ReconcileError | None):
            from traceback import print_exception

            print_exception(error.__cause__)  # what happened after the first write
        show_error(error)
        return error.exit_code
    except Exception as error:
        if os.environ.get("RECONCILE_DEBUG"):
            raise
        return _show_unexpected(error)


def _show_usage(error: click.ClickException) -> None:
    """As click shows it, which repeats the caller's words."""
    from reconciler.output.terminal import say

    shown = StringIO()
    error.show(file=shown)
    for line in shown.getvalue().rstrip("\n").split("\n"):
        say(line, err=True)


def _show_unexpected(error: Exception) -> int:
    """A file that cannot be read or written, or a defect of this program: one line all the same."""
    from reconciler.output.terminal import say

    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        say(f"error: {where}{error.strerror.lower()}", err=True)
        say("  hint: check permissions and free space", err=True)
    else:
        say(f"internal error: {type(error).__name__}; set RECONCILE_DEBUG=1 to see where", err=True)
    return EXIT_ERROR
