"""`reconcile drift`: compare manifests, DynamoDB records and IAM users."""

from __future__ import annotations

import click

from reconciler.cli.options import Target, format_option, target_options
from reconciler.engine.audit import Auditor
from reconciler.engine.session import connect_checked
from reconciler.errors import EXIT_CHANGES, EXIT_OK
from reconciler.manifests.loader import load_manifests
from reconciler.output.drift import to_json, to_lines, to_markdown
from reconciler.output.terminal import say_document, show, terminal_width


@click.command()
@target_options
@format_option("text", "markdown", "json")
@click.option(
    "--thorough",
    is_flag=True,
    help="Also read console passwords, MFA devices, SSH keys, certificates, service credentials: five calls per user.",
)
def drift(target: Target, form: str, thorough: bool) -> int:
    """Compare manifests, DynamoDB records and IAM users. Changes nothing; exits with 2 if there are differences."""
    environment = target.environment()
    desired = load_manifests(target.users, environment)
    connection = connect_checked(environment, target.sandbox)
    made = Auditor(environment, connection.store(), connection.reader(), thorough).audit(desired)
    if form == "text":
        show(to_lines(made, terminal_width()))
    else:
        say_document(to_json(made) if form == "json" else to_markdown(made))
    return EXIT_CHANGES if made.findings else EXIT_OK
