"""A command line that only knows its help."""

import click


@click.command()
def cli() -> None:
    """Do nothing."""


cli()
