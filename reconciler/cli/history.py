"""`reconcile history`: the changes of one user's entry."""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli.options import Target, format_option, name_argument, optional_target_options
from reconciler.engine.session import connect_checked
from reconciler.engine.user_history import read_history
from reconciler.errors import EXIT_OK, ReconcileError
from reconciler.manifests.environments import Environment, load_environments
from reconciler.output.terminal import say, say_document, show
from reconciler.output.user_history import to_json, to_lines, to_markdown
from reconciler.planning.user_history import UserHistory, merge, record_entries


@click.command()
@name_argument
@optional_target_options
@format_option("text", "markdown", "json")
@click.option("--record", is_flag=True, help="Add the times of the record, which is read from AWS; needs --env.")
def history(target: Target, name: str, form: str, record: bool) -> int:
    """Show when a user's permission changed, who changed it, and in which pull request.

    Reads Git only, unless --record is given: follows the entry through renames and moves between files, on the current
    branch, with changes that are not committed. A merge counts as one change. Names of authors and pull requests are
    what commits say; the record has what CI knows.
    """
    if record and not target.env:
        raise click.UsageError("--record needs --env (for example: --env test).", click.get_current_context())
    environments = [target.environment()] if target.env else [*load_environments(target.config).values()]
    read = (read_history(target.config, target.users, environment.name, name) for environment in environments)
    found = [_with_record(one, environments[0], target) if record else one for one in read]
    shown = [one for one in found if one.entries]
    if not shown:
        hint = next((one.incomplete for one in found if one.incomplete), "check the name and the environment")
        raise ReconcileError(f"no commit has an SMTP user '{name}' in {', '.join(e.name for e in environments)}", hint)
    if form == "json":
        say_document(to_json(shown))
    elif form == "markdown":
        say_document("\n\n".join(map(to_markdown, shown)))
    else:
        for number, one in enumerate(shown):
            if number:
                say()
            show(to_lines(one))
    return EXIT_OK


def _with_record(found: UserHistory, environment: Environment, target: Target) -> UserHistory:
    """With the times of the record, if there is one: a deleted user has none."""
    store = connect_checked(environment, target.sandbox).store()
    record = store.fetch([found.name]).get(found.name)
    return replace(found, entries=merge(found.entries, record_entries(record))) if record else found
