"""`reconcile init`: a repository of your own, instead of a fork of this project."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from reconciler.core.text import count
from reconciler.engine.git import find_checkout
from reconciler.engine.own_repository import PIPELINES, parse_pin, plan_files, write_files
from reconciler.errors import EXIT_OK
from reconciler.output.terminal import say

ADD = "reconcile add crm --env sandbox --from crm@example.com --owner marketing@example.com"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--action", metavar="OWNER/REPOSITORY@SHA", default="",
              help="The commit of this project that pipelines run; without it, none is written.")  # fmt: skip
@click.option("--ci", "pipeline", type=click.Choice([*PIPELINES]), default="github", show_default=True,
              help="Which pipelines to write.")  # fmt: skip
def init(folder: Path, action: str, pipeline: str) -> int:
    """Create a repository for manifests in DIR: an example, settings, schemas, reviews, hooks and pipelines.

    Changes no existing file: if one differs from what would be written, nothing is written.
    """
    pin = parse_pin(action) if action else None
    created = write_files(folder, plan_files(pin, pipeline if pin else ""))
    say(f"{count(len(created), 'file')} created in {folder.as_posix()}/", bold=True)
    for path in created:
        say(f"  {path}", fg="green")
    if not pin:
        say("no pipelines: pass --action OWNER/REPOSITORY@SHA, the commit of this project that they run")
    _show_next_steps(folder)
    return EXIT_OK


def _show_next_steps(folder: Path) -> None:
    steps = [] if folder.absolute() == Path.cwd() else [f"cd {shlex.quote(folder.as_posix())}"]
    if find_checkout(folder / "reconcile.yaml") is None:
        steps.append("git init")
    say("next:")
    for step in (*steps, "reconcile validate", ADD):
        say(f"  {step}")
    say("README.md says how to try it on this machine, and what to do before the first real environment")
