"""Options that commands share. Each is defined once and means the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from reconciler.manifests.environments import Environment

Command = Callable[..., Any]

# Options of any command that take a value: in front of the command, the word that follows one is not the command.
VALUE_OPTIONS = frozenset(
    {
        "--action", "--address", "--allow-creates", "--allow-deletes", "--at", "--ci", "--config",
        "--description", "--env", "--expires", "--file", "--format", "--from", "--ip", "--links", "--out",
        "--output", "--owner", "--plan", "--port", "--previous", "--reason", "--region", "--resolver",
        "--rotate-every", "--sandbox-dir", "--source-ip", "--status", "--timeout", "--users", "-e",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """What a command works on: the files, and the name of an environment ('' where none was given)."""

    env: str
    config: Path
    users: Path
    sandbox: Path

    def environment(self) -> Environment:
        """Raises InvalidInput for an invalid file and ReconcileError for an unknown name."""
        from reconciler.manifests.environments import load_environment  # completion and --help do not need it

        return load_environment(self.config, self.env)

    def require_env(self) -> None:
        if not self.env:
            raise click.UsageError("Missing option '--env' (for example: --env test).", click.get_current_context())


def _complete_env(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from reconciler.cli.completion import environment_names

    return [CompletionItem(name) for name in environment_names(context) if name.startswith(incomplete)]


def _complete_name(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from reconciler.cli.completion import user_names

    return [CompletionItem(name) for name in user_names(context) if name.startswith(incomplete)]


_path = click.Path(path_type=Path)
_env = click.option("--env", "-e", metavar="ENV", help="Environment of reconcile.yaml, for example test.",
                    shell_complete=_complete_env)  # fmt: skip
_config = click.option("--config", type=_path, default=Path("reconcile.yaml"), show_default=True,
                       help="The file with the environments.")  # fmt: skip
_users = click.option("--users", type=_path, default=Path("users"), show_default=True,
                      help="Folder with the manifests, ENV/*.yaml.")  # fmt: skip
_sandbox = click.option("--sandbox-dir", type=_path, default=Path(".sandbox"), envvar="RECONCILE_SANDBOX",
                        show_default=True, help="Folder where the sandbox keeps its state.")  # fmt: skip

name_argument = click.argument("name", shell_complete=_complete_name)
names_argument = click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=_complete_name)
optional_name_argument = click.argument("name", required=False, default="", shell_complete=_complete_name)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")


def target_options(command: Command) -> Command:
    """--env (required), --config, --users and --sandbox-dir, passed on as one `target`.

    Commands that do not read manifests take --users for the completion of names.
    """
    return _env(_config(_users(_sandbox(_with_target(command, env_is_required=True)))))


def optional_target_options(command: Command) -> Command:
    """The same for a command that does not always need --env: it calls `require_env` when it does."""
    return _env(_config(_users(_sandbox(_with_target(command, env_is_required=False)))))


def offline_target_options(command: Command) -> Command:
    """For commands that read only files: --env (optional), --config and --users."""
    return _env(_config(_users(_with_target(command, env_is_required=False))))


def manifest_target_options(command: Command) -> Command:
    """For commands that edit the manifests of an environment: --env (required), --config and --users."""
    return _env(_config(_users(_with_target(command, env_is_required=True))))


def sandbox_target_options(command: Command) -> Command:
    """For commands of the sandbox itself: --config and --sandbox-dir."""
    return _config(_sandbox(_with_target(command, env_is_required=False)))


def _with_target(command: Command, *, env_is_required: bool) -> Command:
    @wraps(command)
    def with_target(
        env: str | None = None,
        config: Path = Path(),
        users: Path = Path(),
        sandbox_dir: Path = Path(),
        **options: Any,
    ) -> Any:
        target = Target(env or "", config, users, sandbox_dir)
        if env_is_required:
            target.require_env()
        return command(target, **options)

    return with_target


def format_option(*formats: str) -> Callable[[Command], Command]:
    return click.option("--format", "form", type=click.Choice(formats), default=formats[0], show_default=True,
                        help="Output format.")  # fmt: skip


def allowance_options(command: Command) -> Command:
    """What the operator allows beyond the limits, passed on as one `allowance`."""
    deletes = click.option("--allow-deletes", type=click.IntRange(0), default=0, metavar="N",
                           help="Allow up to N deletes, also above the environment's limits.")  # fmt: skip
    creates = click.option("--allow-creates", type=click.IntRange(0), default=0, metavar="N",
                           help="Allow up to N creates, also above the environment's limit.")  # fmt: skip
    empty = click.option("--allow-empty", is_flag=True, help="Allow manifests that declare no user at all.")
    history = click.option("--accept-history", is_flag=True,
                           help="Accept a Git history that is diverged or unknown; never an older one.")  # fmt: skip
    return deletes(creates(empty(history(_with_allowance(command)))))


def _with_allowance(command: Command) -> Command:
    @wraps(command)
    def with_allowance(
        target: Target,
        *,
        allow_deletes: int,
        allow_creates: int,
        allow_empty: bool,
        accept_history: bool,
        **options: Any,
    ) -> Any:
        from reconciler.planning.limits import Allowance  # completion and --help do not need it

        allowance = Allowance(allow_deletes, allow_empty, history=accept_history, creates=allow_creates)
        return command(target, allowance=allowance, **options)

    return with_allowance


def wait_options(command: Command) -> Command:
    wait = click.option("--wait/--no-wait", default=True, show_default=True,
                        help="Wait until each changed user is active, disabled or deleted.")  # fmt: skip
    timeout = click.option("--timeout", type=click.FloatRange(0), default=300.0, show_default=True,
                           help="Stop waiting when no user reached a final status for so many seconds.")  # fmt: skip
    return wait(timeout(command))
