"""`reconcile dns`: compare published DNS records with what SES and the settings require."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address

import click

from reconciler.cli.options import Target, format_option, target_options
from reconciler.engine.dns_report import make_report
from reconciler.engine.session import connect_checked
from reconciler.errors import EXIT_CHANGES, EXIT_ERROR, EXIT_OK
from reconciler.output.dns import to_json, to_lines, to_zone
from reconciler.output.terminal import say, say_document, show, terminal_width
from reconciler.planning.dns_answers import Verdict


def _parse_addresses(ctx: click.Context, param: click.Parameter, values: Iterable[str]) -> list[tuple[str, int]]:
    """`192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`."""
    found = []
    for value in values:
        match = re.fullmatch(r"\[(.+)\](?::([0-9]{1,5}))?|([0-9.]+):([0-9]{1,5})|(.+)", value)
        host, port, host4, port4, bare = match.groups("") if match else ("",) * 5
        try:
            number = int(port or port4 or 53)
            if not 1 <= number <= 65535:
                raise ValueError
            found.append((str(ip_address(host or host4 or bare)), number))
        except ValueError:
            message = f"'{value}' is no IP address, such as 192.0.2.1 or 192.0.2.1:5353"
            raise click.BadParameter(message, ctx, param) from None
    return found


@click.command()
@target_options
@format_option("text", "json", "zone")
@click.option("--resolver", "resolvers", metavar="ADDRESS[:PORT]", multiple=True, callback=_parse_addresses,
              help="Query this resolver instead of the machine's own; can be repeated.")  # fmt: skip
def dns(target: Target, form: str, resolvers: list[tuple[str, int]]) -> int:
    """Compare published DNS records with what SES requires. Changes nothing; exits with 2 if something is missing."""
    environment = target.environment()
    report = make_report(connect_checked(environment, target.sandbox), resolvers)
    if form == "json":
        say_document(to_json(report))
    else:
        show(to_zone(report) if form == "zone" else to_lines(report, terminal_width()))
    if report.failed:
        return EXIT_CHANGES
    if report.count(Verdict.UNKNOWN) and not environment.local:
        say("error: some records could not be read", err=True, fg="red")
        return EXIT_ERROR
    return EXIT_OK
