"""A permission diff for the job summary of a pull request, which anybody may have opened: all of its text is data.

Its size is bounded. No widening is ever left out: where the table does not fit, each is shown in one line with its
example; where even these do not fit, with its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.text import count
from reconciler.output.markdown import NAMES_BYTES, TABLE_BYTES, clip, fitting
from reconciler.output.neutral import for_markdown
from reconciler.output.permission import describe_range, describe_setting, details, heading, summary
from reconciler.planning.permission_diff import EnvironmentDiff, PermissionDiff, UserChange
from reconciler.planning.permission_settings import SettingChange

Widening = tuple[EnvironmentDiff, UserChange]


def to_markdown(diff: PermissionDiff) -> str:
    """Warnings and settings come first, then widenings, losses and all other changes."""
    parts = [f"### Permissions · {for_markdown(describe_range(diff))}", "", f"**{summary(diff)}**"]
    for reason, hint in diff.warnings:
        parts += ["", f"> **Warning:** {for_markdown(clip(reason))}", f"> {for_markdown(hint)}"]
    parts += _settings(diff)
    users = [(environment, user) for environment in diff.environments for user in environment.users]
    parts += widenings([pair for pair in users if pair[1].change.widens])
    losses = [pair for pair in users if pair[1].change.loses and not pair[1].change.widens]
    parts += _bounded("Losses", losses)
    parts += _bounded("Same permission", [pair for pair in users if pair[1].keeps])
    return "\n".join(parts)


def widenings(pairs: Sequence[Widening], room: int = TABLE_BYTES) -> list[str]:
    """All of them, as detailed as `room` bytes allow."""
    if not pairs:
        return []
    title = ["", f"#### ⚠ {count(len(pairs), 'widening')}", ""]
    for head, row in ((_TABLE, _row), ([], _line), ([], _name)):
        rows = [*head, *map(row, pairs)]
        if sum(len(text.encode()) + 1 for text in rows) <= room:
            break
    return [*title, *rows]


_TABLE = ["| environment | user | permission | declared at |", "|---|---|---|---|"]


def _row(pair: Widening) -> str:
    environment, user = pair
    cells = "<br>".join(map(for_markdown, details(user)))
    return f"| {for_markdown(environment.name)} | {for_markdown(user.name)} | {cells} | {for_markdown(user.source)} |"


def _line(pair: Widening) -> str:
    environment, user = pair
    return f"- {for_markdown(f'{environment.name}/{user.name}')} {for_markdown(f'now {user.change.example}')}"


def _name(pair: Widening) -> str:
    environment, user = pair
    return for_markdown(f"{environment.name}/{user.name}")


def _settings(diff: PermissionDiff) -> list[str]:
    """What loosens is never left out or cut."""
    kinds = [f"**{for_markdown(heading(each))}**" for each in diff.environments if each.name != heading(each)]
    found = [(each, setting) for each in diff.environments for setting in each.settings]
    loosened = [_setting(each, setting, describe_setting(setting)) for each, setting in found if setting.widens]
    others = [(each, setting) for each, setting in found if not setting.widens]
    shown = fitting((_setting(each, setting, clip(setting.text)) for each, setting in others), NAMES_BYTES)
    more = len(others) - len(shown)
    rest = [f"| … | {count(more, 'more setting')} | |"] if more else []
    table = ["", "#### Settings", "", "| environment | setting | change |", "|---|---|---|", *loosened, *shown, *rest]
    return [text for kind in kinds for text in ("", kind)] + (table if found else [])


def _setting(environment: EnvironmentDiff, setting: SettingChange, text: str) -> str:
    return f"| {' | '.join(map(for_markdown, (environment.name, setting.name, text)))} |"


def _bounded(title: str, pairs: Sequence[Widening], room: int = NAMES_BYTES) -> list[str]:
    shown = fitting(map(_row, pairs), room)
    more = len(pairs) - len(shown)
    rest = [f"| … | {count(more, 'more user')} | | |"] if more else []
    return ["", f"#### {title}", "", *_TABLE, *shown, *rest] if pairs else []
