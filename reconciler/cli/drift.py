"""`reconcile drift`: what manifests, records and IAM users say of every user, compared. Reads only."""

from __future__ import annotations

from pathlib import Path

from reconciler.engine.audit import Auditor
from reconciler.engine.session import connect_checked
from reconciler.errors import EXIT_CHANGES, EXIT_OK
from reconciler.manifests.environments import Environment
from reconciler.manifests.loader import load_manifests
from reconciler.output.drift import to_json, to_lines, to_markdown
from reconciler.output.terminal import say, show, terminal_width


def drift(environment: Environment, users: Path, sandbox_folder: Path, form: str) -> int:
    """Show what differs. Returns the exit code; raises for invalid manifests, and where something cannot be read."""
    desired = load_manifests(users, environment)
    connection = connect_checked(environment, sandbox_folder)
    made = Auditor(environment, connection.store(), connection.identities()).audit(desired)
    if form == "text":
        show(to_lines(made, terminal_width()))
    else:
        say(to_json(made) if form == "json" else to_markdown(made))
    return EXIT_CHANGES if made.findings else EXIT_OK
