"""A plan as a comment on its pull request: refusals first, then what widens a permission, then the rest.

GitHub limits a comment to 65,536 characters. If it does not fit, the widenings are condensed to one line each, then the
rest is left out, then each widening is only a name, and at last the comment says how many names are missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote

from reconciler.core.text import count
from reconciler.errors import InvalidInput, Problem, ReconcileError, Refused
from reconciler.output.markdown import LONGEST_TEXT, NAMES_BYTES, QUOTES_BYTES, clip, fitting
from reconciler.output.neutral import for_markdown, for_position
from reconciler.output.plan import SIGNS, markdown_of_others, summary
from reconciler.planning.limits import Refusal
from reconciler.planning.plan import Line, Origin, Plan

LIMIT = 60_000  # bytes
KEPT = 1_000  # bytes, for headings and counts
BRIEF = 80  # characters of a condensed example

HEADER = "| | user | what changes | now allowed, for example | declared at |\n|---|---|---|---|---|"
BRIEF_HEADER = "| | user | now allowed, for example |\n|---|---|---|"
OTHER_HEADER = "| | user | what changes | declared at |\n|---|---|---|---|"
DELETE_HEADER = "| | user | what changes |\n|---|---|---|"
CONDENSED = "\nEverything else does not fit into this comment."
RUN = re.compile(r"https://[\w./-]+")


def to_comment(plan: Plan, links: str = "") -> str:
    """`links`: the address of the repository's files at the commit of the pull request; '' for none."""
    widening = [line for line in plan.lines if line.example]
    deletes = [line for line in plan.lines if line.action == "delete"]
    others = [line for line in plan.lines if not line.example and line.action != "delete"]
    head = [_title(plan.environment), "", *_headline(plan, len(widening), len(others), len(deletes))]
    head += _alerts("CAUTION", "Refused", plan.refusals) + _alerts("WARNING", "Warning", plan.warnings)
    head += _settings(plan.settings)
    rest = [
        *_table("Other changes", OTHER_HEADER, others, lambda one: _row(one, links, example=False)),
        *_table("Deletes", DELETE_HEADER, deletes, _delete_row),
        *_others(plan),
    ]
    foot = ["", _footer(plan.origin)]
    full = [HEADER, *(_row(line, links, example=True) for line in widening)]
    brief = [BRIEF_HEADER, *map(_brief_row, widening)]
    for rows, below in ((full, rest), (brief, rest), (brief, [CONDENSED])):
        comment = "\n".join([*head, *_widenings(len(widening), rows), *below, *foot])
        if len(comment.encode()) <= LIMIT:
            return comment
    room = LIMIT - len("\n".join([*head, CONDENSED, *foot]).encode())
    return "\n".join([*head, *_names_only(widening, room, plan), CONDENSED, *foot])


def to_failed_comment(environment: str, error: ReconcileError, links: str = "") -> str:
    """No plan could be made: why."""
    parts = [_title(environment), "", "**No plan could be made.**"]
    problems = error.problems if isinstance(error, InvalidInput) else ()
    reasons = error.reasons if isinstance(error, Refused) else ((error.message, error.hint),)
    parts += _alerts("CAUTION", "Refused", reasons)
    shown = fitting((_problem(problem, links) for problem in problems), LIMIT - KEPT)
    parts += ["", *shown] if shown else []
    return "\n".join([*parts, *_more(len(problems) - len(shown), "problem", "- ")])


def _title(environment: str) -> str:
    """The first line is the marker by which the next run finds its comment."""
    return f"<!-- reconcile-plan: {quote(environment)} -->\n### SMTP users · {for_markdown(environment)}"


def _headline(plan: Plan, widening: int, others: int, deletes: int) -> list[str]:
    if not plan.lines:
        return [f"**{summary(plan)}**"]
    parts = [f"**{count(widening, 'user')} may send more than before**" if widening else "No permission widens"]
    parts += [count(others, "other change")] if others else []
    parts += [f"**{count(deletes, 'delete')}**"] if deletes else []
    return [f"{' · '.join(parts)} · {len(plan.unchanged)} unchanged"]


def _alerts(kind: str, title: str, reasons: Sequence[Refusal]) -> list[str]:
    """An alert of GitHub: https://docs.github.com/en/get-started/writing-on-github (alerts)."""
    quotes = (
        "\n".join(["", f"> [!{kind}]", f"> **{title}:** {for_markdown(clip(reason))}",
                   *([">", f"> {for_markdown(clip(hint))}"] if hint else [])])
        for reason, hint in reasons
    )  # fmt: skip
    shown = fitting(quotes, QUOTES_BYTES)
    return [*shown, *_more(len(reasons) - len(shown), "reason", "> ")]


def _settings(settings: Sequence[str]) -> list[str]:
    items = [f"- {for_markdown(clip(setting))}" for setting in settings]
    shown = fitting(items, QUOTES_BYTES)
    more = _more(len(items) - len(shown), "setting", "- ")
    return ["", "#### Settings of the environment", "", *shown, *more] if items else []


def _widenings(number: int, rows: Sequence[str]) -> list[str]:
    return ["", f"#### ⚠️ {count(number, 'user')} may send more than before", "", *rows] if number else []


def _names_only(lines: Sequence[Line], room: int, plan: Plan) -> list[str]:
    """As many as fit, and where all of them are."""
    run = f"[this run]({plan.origin.run})" if RUN.fullmatch(plan.origin.run) else "its run"
    where = f"The file `plan.json` in the artifact `plan-comment-{plan.environment}` of {run} lists all with examples."
    shown = fitting((f"{for_markdown(line.name)}," for line in lines), room - len(where) - KEPT)
    more = len(lines) - len(shown)
    missing = f"**{more:,} of them do not fit into this comment.** " if more else ""
    return _widenings(len(lines), ["> [!CAUTION]", f"> {missing}{where}", "", " ".join(shown).removesuffix(",")])


def _footer(origin: Origin) -> str:
    """A merge that GitHub made for the pull request is what would be applied."""
    commit, _, dirty = origin.commit.partition("-")
    planned = f"Planned for {for_markdown(commit[:12] + ('-dirty' if dirty else ''))}" if commit else "Planned"
    return f"<sub>{planned}{f' by [this run]({origin.run})' if RUN.fullmatch(origin.run) else ''}.</sub>"


def _row(line: Line, links: str, *, example: bool) -> str:
    details = "<br>".join(for_markdown(clip(detail)) for detail in line.details)
    cells = [f"`{SIGNS[line.action]}`", for_markdown(line.name), details]
    cells += [for_markdown(clip(line.example))] if example else []
    return _cells([*cells, _place(line.manifest, line.line, links)])


def _brief_row(line: Line) -> str:
    example = line.example if len(line.example) <= BRIEF else f"{line.example[: BRIEF - 1]}…"
    return _cells([f"`{SIGNS[line.action]}`", for_markdown(line.name), for_markdown(example)])


def _delete_row(line: Line) -> str:
    details = "<br>".join(for_markdown(clip(detail)) for detail in line.details)
    return _cells([f"`{SIGNS[line.action]}`", for_markdown(line.name), details])


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(title: str, header: str, lines: Sequence[Line], render: Callable[[Line], str]) -> list[str]:
    rows = fitting(map(render, lines), NAMES_BYTES)
    return ["", f"#### {title}", "", header, *rows, *_more(len(lines) - len(rows), "change", "\n")] if lines else []


def _others(plan: Plan) -> list[str]:
    """Folded: nothing of it is changed by this pull request."""
    parts = markdown_of_others(plan)
    return (
        ["", "<details><summary>Users that this plan does not change</summary>", *parts, "", "</details>"]
        if parts
        else []
    )


def _problem(problem: Problem, links: str) -> str:
    hint = f"<br>{for_markdown(clip(problem.hint))}" if problem.hint else ""
    return f"- {_place(problem.path, problem.line, links)} {for_markdown(clip(problem.message))}{hint}"


def _place(path: str, line: int, links: str) -> str:
    """`path` is relative to the repository, unless a person planned with another folder: then it is not a link."""
    shown = for_markdown(clip(f"{for_position(path)}:{line}" if line else path))
    if not links or path.startswith("/") or ".." in path.split("/") or len(path) > LONGEST_TEXT:
        return shown
    return f"[{shown}]({links}/{quote(path)}{f'#L{line}' if line else ''})"


def _more(number: int, noun: str, prefix: str) -> list[str]:
    return [f"{prefix}and {count(number, f'more {noun}')}"] if number > 0 else []
