"""A permission diff for a terminal: settings first, then each widening, then losses, then what stays the same."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.text import count
from reconciler.output.styled import Segment, Style, StyledLine, line
from reconciler.output.table import Column, Row, Table
from reconciler.planning.permission_diff import EnvironmentDiff, Kind, PermissionDiff, UserChange
from reconciler.planning.permission_settings import SettingChange

WIDENS, LOSES, KEEPS = "!", "-", "~"
STYLES = {WIDENS: Style.BAD, LOSES: Style.CHANGED, KEEPS: None}
KINDS = {Kind.NEW: "new environment", Kind.DELETED: "no longer in reconcile.yaml"}

COLUMNS = (Column("user"), Column("details", wraps=True), Column("declared at", drop_below=32))


def to_lines(diff: PermissionDiff, width: int | None) -> list[StyledLine]:
    """`width`: that of the terminal, or None: then no text is wrapped."""
    lines = [line(f"permissions · {describe_range(diff)}")]
    lines += [line(f"warning: {reason}; {hint}", Style.CHANGED) for reason, hint in diff.warnings]
    for environment in diff.environments:
        if environment.differs():
            lines += _environment(environment, width)
    return [*lines, line(summary(diff))]


def describe_range(diff: PermissionDiff) -> str:
    return f"{_name(diff.base, diff.base_commit)} → {_name(diff.head, diff.head_commit)}"


def _name(label: str, commit: str) -> str:
    return f"{label} ({commit[:12]})" if commit and not commit.startswith(label) else label[:40]


def summary(diff: PermissionDiff) -> str:
    if not diff.differs():
        return f"No change of permissions: {count(diff.keeps, 'user')} as before."
    loosened = f" {count(diff.loosened, 'setting')} loosened." if diff.loosened else ""
    numbers = (("gain", diff.gains), ("lose", diff.loses), ("keep", diff.keeps))
    gain, lose, keep = (f"{number} {verb}{'s' * (number == 1)}" for verb, number in numbers)
    return f"Users: {gain} permission, {lose} permission, {keep} the same.{loosened}"


def heading(environment: EnvironmentDiff) -> str:
    kind = KINDS.get(environment.kind)
    return f"{environment.name} · {kind}" if kind else environment.name


def sign_of(user: UserChange) -> str:
    return WIDENS if user.change.widens else LOSES if user.change.loses else KEEPS


def details(user: UserChange) -> list[str]:
    """What a reviewer reads of a user, most important first."""
    lines = [f"gains: {text}" for text in user.change.gains]
    if user.change.example:
        lines.append(f"now {user.change.example}")
    return lines + others(user) + [f"loses: {text}" for text in user.change.loses] + [*user.notes]


def others(user: UserChange) -> list[str]:
    lines = [f"also {other.name} may send as {other.pattern}" for other in user.others]
    return [*lines, "also others"] if user.more_others else lines


def describe_setting(setting: SettingChange) -> str:
    return f"{setting.text} (loosened)" if setting.widens else setting.text


def _environment(environment: EnvironmentDiff, width: int | None) -> Iterator[StyledLine]:
    yield line(heading(environment), Style.HEADING)
    table = Table(COLUMNS, gap=3, indent=2)
    yield from table.lines([_setting(setting) for setting in environment.settings], width)
    yield from table.lines([row for user in environment.users for row in _user(user)], width)


def _setting(setting: SettingChange) -> Row:
    sign = WIDENS if setting.widens else KEEPS
    cells = (f"{sign} {setting.name}", describe_setting(setting), "reconcile.yaml")
    return [Segment(cell, STYLES[sign]) for cell in cells]


def _user(user: UserChange) -> Iterator[Row]:
    """One line for each detail; the name is at the first."""
    sign = sign_of(user)
    name, source = f"{sign} {user.name}", user.source
    for text in details(user):
        yield [Segment(cell, STYLES[sign]) for cell in (name, text, source)]
        name = source = ""
