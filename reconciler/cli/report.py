"""`reconcile report`: the access review, as one page with its CSV and JSON."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import Target, optional_target_options
from reconciler.core.text import count
from reconciler.engine.report import Reviewer
from reconciler.engine.report_files import describe, paths_of, read_previous, verify, write
from reconciler.engine.session import connect_checked
from reconciler.errors import EXIT_ERROR, EXIT_OK, ReconcileError
from reconciler.manifests.loader import load_manifests
from reconciler.output.report import render
from reconciler.output.report_page import require_extra
from reconciler.output.terminal import say

_path = click.Path(path_type=Path)


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=_path)
@optional_target_options
@click.option("--out", type=_path, default=Path("report.html"), show_default=True,
              help="The page to write; CSV and JSON are written next to it.")  # fmt: skip
@click.option(
    "--previous", type=_path, metavar="FILE", help="The report that this one continues: its digest is included."
)
@click.option("--last-use/--no-last-use", default=True, show_default=True,
              help="Read when each access key was used last: one call per key.")  # fmt: skip
@click.option("--verify", "is_check", is_flag=True, help="Check the reports in FILE, one or a series; writes nothing.")
def report(
    target: Target, files: tuple[Path, ...], out: Path, previous: Path | None, last_use: bool, is_check: bool
) -> int:
    """Write the access review: every user with permission, source, use and findings. Changes nothing in AWS.

    With --verify, FILE is any file of a report. Exits with 1 if a file was changed or a series is broken.
    """
    if is_check:
        if not files:
            raise click.UsageError("Missing argument 'FILE' (for example: --verify report.json).")
        return _verify(files)
    if files:
        raise click.UsageError("FILE can be given with --verify only.")
    target.require_env()
    return _write(target, out, previous, last_use)


def _write(target: Target, out: Path, previous: Path | None, last_use: bool) -> int:
    if out.suffix != ".html":
        raise ReconcileError(f"{out}: the name of the page must end in .html", "for example --out report.html")
    if not out.parent.is_dir():
        raise ReconcileError(f"the folder {out.parent} does not exist", "create it, or choose another --out")
    require_extra()
    environment = target.environment()
    continued = read_previous(previous, out, environment.name) if previous else ""
    desired = load_manifests(target.users, environment)
    connection = connect_checked(environment, target.sandbox)
    made = Reviewer(connection, target.users, last_use).review(desired)
    documents = render(made, continued, out.with_suffix(".json").name)
    write(documents, out)
    found = sum(bool(entry.findings) for entry in made.entries)
    say(f"{count(len(made.entries), 'user')}, {found} with findings")
    for note in made.notes:
        say(f"not checked: {note}")
    say(f"written: {', '.join(path.as_posix() for path in paths_of(out).values())}")
    say(f"digest: {documents.digest}")
    return EXIT_OK


def _verify(files: tuple[Path, ...]) -> int:
    links, problems = verify(files)
    for line in describe(links):
        say(line)
    for problem in problems:
        say(problem, err=True)
    return EXIT_ERROR if problems else EXIT_OK
