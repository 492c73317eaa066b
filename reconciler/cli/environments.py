"""`reconcile environments`."""

from __future__ import annotations

import json

import click

from reconciler.cli.options import Target, format_option, offline_target_options
from reconciler.errors import EXIT_OK
from reconciler.manifests.environments import load_environments
from reconciler.output.terminal import say, say_document


@click.command()
@offline_target_options
@format_option("text", "json")
def environments(target: Target, form: str) -> int:
    """List the environments on AWS in the order of reconcile.yaml, without local ones. Reads only this file.

    With --env, only this one. The workflows use the JSON, one line with a list of names.
    """
    chosen = [target.environment()] if target.env else load_environments(target.config).values()
    names = [environment.name for environment in chosen if not environment.local]
    if form == "json":
        say_document(json.dumps(names))
    else:
        for name in names:
            say(name)
    return EXIT_OK
