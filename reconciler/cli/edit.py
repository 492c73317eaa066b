"""`reconcile add`, `rotate`, `disable`, `enable` and `remove`: edit a manifest for a pull request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path
from typing import Any

import click

from reconciler.cli.deployability import check_deployable
from reconciler.cli.options import Target, manifest_target_options, name_argument
from reconciler.core.text import hidden_character
from reconciler.engine.manifest_files import write_manifest
from reconciler.errors import EXIT_OK, InvalidInput, ReconcileError
from reconciler.manifests.edit import Draft, Manifests, open_manifests
from reconciler.output.terminal import say
from reconciler.planning.wording import describe_grant

COLORS = {"+": "green", "-": "red"}
_WORKS = "its password works again"


@click.command()
@click.argument("name")
@manifest_target_options
@click.option("--from", "addresses", multiple=True, required=True, metavar="ADDRESS",
              help="An address that the user may send as; can be repeated.")  # fmt: skip
@click.option("--owner", required=True, metavar="ADDRESS", help="Mailbox of the responsible team.")
@click.option("--description", metavar="TEXT", help="What sends these messages, in one line.")
@click.option("--expires", metavar="DAY", help="Last day on which the user may send, for example 2027-06-30.")
@click.option("--source-ip", "networks", multiple=True, metavar="NETWORK",
              help="A network from which the user may send; can be repeated. Default: any network.")  # fmt: skip
@click.option("--rotate-every", type=int, metavar="DAYS", help="Rotate the password on a schedule.")
@click.option("--file", default="", metavar="FILE",
              help="The manifest in users/ENV/. Default: that of the owner's other users.")  # fmt: skip
def add(target: Target, name: str, file: str, **options: Any) -> int:
    """Add a user to a manifest. Changes only this file; a pull request grants the permission.

    Without --file, the user is added to the manifest with the owner's other users. If the owner has none, it is the
    manifest that is named like the owner's mailbox: marketing.yaml for marketing@example.com.
    """
    fields = _fields(name, **options)
    draft = _open(target).add(fields, file)
    grant = ", ".join(describe_grant(options["addresses"], options["networks"], options["expires"]))
    _write(draft, f"adds {name}: {grant}", "" if options["description"] else "say in `description` what sends the mail")
    return EXIT_OK


@click.command()
@name_argument
@manifest_target_options
def rotate(target: Target, name: str) -> int:
    """Raise `credential` in the manifest of a user: it gets a new password when the change is applied."""
    manifests = _open(target)
    number = manifests.find(name).user.credential
    draft = manifests.set(name, "credential", number + 1)
    _write(draft, f"rotates {name}: it gets a new password (credential {number} → {number + 1})")
    return EXIT_OK


@click.command()
@name_argument
@manifest_target_options
def disable(target: Target, name: str) -> int:
    """Set `enabled: false` in the manifest of a user: its key becomes inactive, and nothing is deleted."""
    return _enable(_open(target), name, enabled=False)


@click.command()
@name_argument
@manifest_target_options
def enable(target: Target, name: str) -> int:
    """Set `enabled: true` in the manifest of a user: the same password works again."""
    return _enable(_open(target), name, enabled=True)


@click.command()
@name_argument
@manifest_target_options
def remove(target: Target, name: str) -> int:
    """Remove a user from its manifest: access key, policy and IAM user are deleted when the change is applied.

    Comments directly above the entry are removed with it.
    """
    draft = _open(target).remove(name)
    _write(draft, f"removes {name}: an apply deletes its access key, policy and IAM user")
    return EXIT_OK


def _enable(manifests: Manifests, name: str, *, enabled: bool) -> int:
    found, word = manifests.find(name), "enabled" if enabled else "disabled"
    if found.user.enabled == enabled:
        say(f"{found.manifest}:{found.line}: {name} is already {word}; nothing to do")
        return EXIT_OK
    effect = "its access key becomes inactive; nothing is deleted"
    if enabled:
        expired = not replace(found.user, enabled=True).may_send(datetime.now(UTC))
        effect = f"it may still not send: it expired after {found.user.expires}" if expired else _WORKS
    _write(manifests.set(name, "enabled", enabled), f"{word[:-1]}s {name}: {effect}")
    return EXIT_OK


def _open(target: Target) -> Manifests:
    """Refuses to edit files that `reconcile validate` refuses."""
    environment = target.environment()
    if problems := check_deployable(target.config, [environment.name]):
        raise InvalidInput(problems)
    return open_manifests(target.users, environment)


def _fields(name: str, **options: Any) -> dict[str, Any]:
    """In the order of the documentation, without what is not given."""
    every = options["rotate_every"]
    fields = {
        "name": name,
        "description": f"Messages of {name}" if options["description"] is None else options["description"],
        "owner": options["owner"],
        "allowed_from_addresses": [*options["addresses"]],
        "expires": options["expires"],
        "allowed_source_ips": [*options["networks"]],
        "rotation": None if every is None else {"every_days": every},
    }
    # An option that is given but empty is refused like any other value: without an expiry, a grant would not end.
    given = {field: value for field, value in fields.items() if value not in (None, [])}
    for field, value in given.items():
        if hidden := hidden_character("".join(value)):
            hint = "write one line of visible text"
            raise ReconcileError(f"'{field}' contains the character U+{ord(hidden):04X}", hint)
    return given


def _write(draft: Draft, summary: str, hint: str = "") -> None:
    write_manifest(draft.path, draft.old, draft.new)
    say(f"{draft.path.as_posix()}:{draft.line}: {summary}", bold=True)
    for line in _changed_lines(draft):
        say(f"  {line}", fg=COLORS[line[0]])
    if hint:
        say(f"hint: {hint}")
    say(_next_step(draft.path, is_new=draft.old is None))


def _changed_lines(draft: Draft) -> list[str]:
    old, new = (content.decode("utf-8-sig").splitlines() for content in (draft.old or b"", draft.new))
    lines = [*unified_diff(old, new, n=0, lineterm="")][2:]  # without the names of the files
    return [f"{line[0]} {line[1:]}".rstrip() for line in lines if line[0] in COLORS]


def _next_step(path: Path, *, is_new: bool) -> str:
    look = f"add the new file to Git (git add {path.as_posix()})" if is_new else "look at it with `git diff`"
    return f"next: {look}, commit it and open a pull request"
