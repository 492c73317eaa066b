"""`reconcile diff`: the change of permissions between two states of the manifests, without AWS."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from reconciler.cli.options import Target, format_option, offline_target_options
from reconciler.engine.permission_diff import Folder, diff_permissions
from reconciler.errors import EXIT_CHANGES, EXIT_OK
from reconciler.output.permission import to_lines
from reconciler.output.permission_json import to_json
from reconciler.output.permission_markdown import to_markdown
from reconciler.output.terminal import say_document, show, terminal_width


@click.command()
@click.argument("revisions", metavar="[BASE..HEAD]", required=False, default="")
@offline_target_options
@format_option("text", "markdown", "json")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes, as plan does.")
def diff(target: Target, revisions: str, form: str, detailed_exitcode: bool) -> int:
    """Show who may send more, less or the same. Reads only files and Git: needs neither AWS nor a network.

    Compares the merge base with the main branch to the working tree, or BASE to the working tree, or two commits
    (BASE..HEAD), or what HEAD changed since it left BASE (BASE...HEAD).
    """
    folder = Folder(target.config, target.users, target.env)
    found = diff_permissions(folder, revisions, datetime.now(UTC).replace(microsecond=0))
    if form == "text":
        show(to_lines(found, terminal_width()))
    else:
        say_document(to_json(found) if form == "json" else to_markdown(found))
    return EXIT_CHANGES if detailed_exitcode and found.differs() else EXIT_OK
