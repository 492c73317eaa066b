"""`reconcile credentials`: what a mail client needs: host, ports, user name and password."""

from __future__ import annotations

import shlex

import click

from reconciler.cli.lookup import find_record
from reconciler.cli.options import Target, format_option, name_argument, target_options
from reconciler.core.record import Status
from reconciler.core.smtp import Endpoint, endpoint
from reconciler.engine.session import connect_checked
from reconciler.errors import EXIT_OK, ReconcileError
from reconciler.manifests.environments import Environment
from reconciler.output.neutral import for_json
from reconciler.output.terminal import say


@click.command()
@name_argument
@target_options
@format_option("text", "env", "json")
@click.option("--region", default="", help="SES region; by default the first of the environment.")
def credentials(target: Target, name: str, form: str, region: str) -> int:
    """Print the SMTP credentials of a user: host, ports, user name and password.

    Decrypts with your own KMS permission; CloudTrail records who read them.
    """
    for line in read_credentials(target, name, region, form).split("\n"):
        say(line)
    return EXIT_OK


def read_credentials(target: Target, name: str, region: str, form: str) -> str:
    """The credentials of a user as text."""
    environment = target.environment()
    region = region or environment.smtp_regions[0]
    if region not in environment.smtp_regions:
        raise ReconcileError(f"{environment.name} does not send through {region}", _regions(environment))
    connection = connect_checked(environment, target.sandbox)
    record = find_record(connection.store(), name, environment.name)
    if record.encrypted_credentials is None:
        status = record.status or "without a status"
        hint = f"see reconcile status {name} --env {environment.name}"
        raise ReconcileError(f"'{name}' has no credential yet; it is {status}", hint)
    if record.status != Status.ACTIVE:
        say(f"note: '{name}' is {record.status}; this credential may not work now", err=True)
    credentials = connection.vault().decrypt(name, record.smtp_username, record.encrypted_credentials)
    if region not in credentials.passwords:
        hint = "its credential is older than the region: raise `credential:` to issue a new one"
        raise ReconcileError(f"'{name}' has no password for {region}", hint)
    return _FORMS[form](endpoint(region), credentials.username, credentials.passwords[region])


def _regions(environment: Environment) -> str:
    return f"regions of this environment: {', '.join(environment.smtp_regions)}"


def _text(at: Endpoint, username: str, password: str) -> str:
    return (
        f"host       {at.host}\n"
        f"ports      {_join(at.starttls_ports[:2])} (STARTTLS), {_join(at.tls_ports)} (TLS)\n"
        f"user name  {username}\n"
        f"password   {password}"
    )


def _env(at: Endpoint, username: str, password: str) -> str:
    values = {
        "SMTP_HOST": at.host,
        "SMTP_PORT": str(at.starttls_ports[0]),
        "SMTP_USERNAME": username,
        "SMTP_PASSWORD": password,
    }
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in values.items())


def _json(at: Endpoint, username: str, password: str) -> str:
    values = {
        "host": at.host,
        "starttls_ports": list(at.starttls_ports[:2]),
        "tls_ports": list(at.tls_ports),
        "username": username,
        "password": password,
    }
    return for_json(values)


def _join(ports: tuple[int, ...]) -> str:
    return ", ".join(map(str, ports))


_FORMS = {"text": _text, "env": _env, "json": _json}
