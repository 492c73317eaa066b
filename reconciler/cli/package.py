"""`reconcile package`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from reconciler.errors import EXIT_OK
from reconciler.output.terminal import say
from reconciler.pipeline.lambda_zip import build_zip


@click.command()
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=Path("lambda.zip"),
              show_default=True, help="The file to write.")  # fmt: skip
def package(output: Path) -> int:
    """Build the zip of the Lambda functions, for Terraform. The same version gives the same bytes on every machine."""
    content = build_zip(output).read_bytes()
    say(f"{output}  {len(content) / 1e6:.1f} MB  sha256 {hashlib.sha256(content).hexdigest()}")
    return EXIT_OK
