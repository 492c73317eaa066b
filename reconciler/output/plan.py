"""A plan for a terminal and for a pull request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from reconciler.core.policy import QUOTA
from reconciler.core.text import count
from reconciler.output.markdown import NAMES_BYTES, QUOTES_BYTES, TABLE_BYTES, clip, fitting
from reconciler.output.neutral import for_markdown
from reconciler.output.styled import Segment, Style, StyledLine, line
from reconciler.output.table import LONGEST_ALIGNED, Column, Table
from reconciler.planning.duration import describe_duration
from reconciler.planning.iam_names import TakenName
from reconciler.planning.plan import Line, Origin, Plan, Revoked, Unmanaged
from reconciler.planning.wording import describe_grant

SIGNS = {"create": "+", "adopt": ">", "update": "~", "delete": "-"}
STYLES = {"create": Style.GOOD, "adopt": Style.ADOPTED, "update": Style.CHANGED, "delete": Style.BAD}
Named = TypeVar("Named", bound=Revoked | TakenName)
VERBS = ("create", "adopt", "update", "delete")
IAM_UNREAD = "IAM users could not be read: whether one of them has taken a name is not checked."

CHANGES = (
    Column("user"),
    Column("details", wraps=True),
    Column("policy size", drop_below=60),
    Column("declared at", drop_below=32),
)
OTHERS = (Column("user"), Column("details", wraps=True))


def to_lines(plan: Plan, width: int | None) -> list[StyledLine]:
    """`width`: that of the terminal, or None: then every user takes one line."""
    changes, others = [_cells(change) for change in plan.lines], _others(plan)
    names = max((row[0].width for row in (*changes, *others)), default=0)
    first_width = min(names, LONGEST_ALIGNED)
    return [
        line(f"smtp users · {plan.environment} · {count(plan.records, 'record')}, {plan.declared} declared"),
        *_provenance(plan),
        *(line(f"Settings that change: {text}", Style.CHANGED) for text in plan.settings),
        *Table(CHANGES, gap=3, indent=2, first_width=first_width).lines(changes, width),
        *Table(OTHERS, gap=3, indent=2, first_width=first_width).lines(others, width),
        *([line(IAM_UNREAD, Style.MUTED)] if _is_iam_unread(plan) else []),
        line(summary(plan)),
        *([line(_expected(plan))] if plan.expected_seconds else []),
    ]


def _expected(plan: Plan) -> str:
    return f"Expected time: {describe_duration(plan.expected_seconds)}."


def _is_iam_unread(plan: Plan) -> bool:
    """Where nothing was planned, nothing was read."""
    return not plan.iam_checked and not (plan.refusals and not plan.lines)


def _provenance(plan: Plan) -> list[StyledLine]:
    if plan.origin == Origin():
        return []
    doubt = line("History not verified: see the warning.", Style.BAD)
    return [line(_origin(plan.origin)), *([doubt] if plan.warnings else [])]


def _origin(origin: Origin) -> str:
    commit, _, dirty = origin.commit.partition("-")
    approved = f"approved by {origin.approver.replace(' ', ', ')}" if origin.approver else ""
    who = " · ".join(filter(None, (origin.actor, origin.ci_actor, origin.run, origin.pull_request, approved)))
    return f"commit {commit[:12] or 'unknown'}{'-dirty' if dirty else ''} · {who}"


def _cells(change: Line) -> tuple[Segment, ...]:
    size = f"policy {change.policy_size}/{QUOTA}" if change.policy_size else ""
    cells = (f"{SIGNS[change.action]} {change.name}", "; ".join(change.details), size, change.source)
    return tuple(Segment(cell, STYLES[change.action]) for cell in cells)


def _others(plan: Plan) -> list[tuple[Segment, ...]]:
    """Users that this run does not change, but that a reader has to know of."""
    texts = [
        *(("·", name, "deletion in progress", Style.MUTED) for name in plan.deleting),
        *(("?", record.name, _describe_unmanaged(record), _unmanaged_style(record)) for record in plan.unmanaged),
        *(("!", user.name, _describe_revoked(user), Style.BAD) for user in plan.revoked),
        *(("!", one.name, _describe_taken(one), Style.BAD) for one in plan.taken),
    ]
    return [(Segment(f"{sign} {name}", style), Segment(text, style)) for sign, name, text, style in texts]


def _describe_unmanaged(record: Unmanaged) -> str:
    source = f"managed by {record.managed_by}" if record.managed_by else "created manually"
    clauses = [f"unmanaged, ignored: {record.status or 'no status'}, {source}"]
    if record.allowed_from_addresses:
        clauses += describe_grant(record.allowed_from_addresses, record.allowed_source_ips, record.expires)
    if record.reserved:
        clauses.append(f"reserved for others: {', '.join(record.reserved)}")
    if not record.enabled:
        clauses.append("disabled")
    return "; ".join([*clauses, *(f"invalid: {problem}" for problem in record.problems)])


def _unmanaged_style(record: Unmanaged) -> Style:
    return Style.CHANGED if record.allowed_from_addresses or record.problems else Style.MUTED


def _describe_taken(one: TakenName) -> str:
    return f"its IAM name is taken: IAM user {one.iam_user} is not managed and is never modified"


def _describe_revoked(user: Revoked) -> str:
    by, reason = user.actor or "an unknown actor", user.reason or "no reason given"
    return f"revoked by {by}: {reason}; keys stay inactive until `reconcile resume {user.name}`"


def summary(plan: Plan) -> str:
    granting = sum(bool(record.allowed_from_addresses) for record in plan.unmanaged)
    grants = f" {count(granting, 'unmanaged record')} may send." if granting else ""
    return f"{_summary(plan)}{grants}"


def _summary(plan: Plan) -> str:
    if plan.refusals and not plan.lines:
        return "Refused: nothing was planned."
    if not plan.lines:
        return f"Nothing to do: {len(plan.unchanged)} unchanged."
    counts = [f"{plan.count(verb)} to {verb}" for verb in VERBS if verb != "adopt" or plan.count(verb)]
    return f"Plan: {', '.join(counts)}, {len(plan.unchanged)} unchanged."


def to_markdown(plan: Plan) -> str:
    """For a job summary or a comment on a pull request."""
    parts = [f"### SMTP users · {for_markdown(plan.environment)}", "", f"**{summary(plan)}**"]
    if plan.expected_seconds:
        parts += ["", _expected(plan)]
    if plan.origin != Origin():
        parts += ["", for_markdown(_origin(plan.origin))]
    parts += [
        text for setting in plan.settings for text in ("", f"**Settings that change:** {for_markdown(clip(setting))}")
    ]
    for reason, hint in plan.warnings:
        parts += ["", f"> **Warning:** {for_markdown(reason)}", f"> {for_markdown(hint)}"]
    for reason, hint in plan.refusals:
        parts += ["", f"> **Refused:** {for_markdown(reason)}", f"> {for_markdown(hint)}"]
    if plan.lines:
        parts += ["", "| | user | what changes | policy | declared at |", "|---|---|---|---|---|"]
        parts += _markdown_rows(plan.lines)
    return "\n".join([*parts, *markdown_of_others(plan)])


def markdown_of_others(plan: Plan) -> list[str]:
    """Users that this run does not change, but that a reader has to know of."""
    parts = ["", f"Deletion in progress: {_names(plan.deleting)}"] if plan.deleting else []
    parts += _markdown_unmanaged(plan.unmanaged)
    parts += _markdown_quotes("Revoked", plan.revoked, _describe_revoked)
    parts += _markdown_quotes("IAM name taken", plan.taken, _describe_taken)
    return [*parts, "", IAM_UNREAD] if _is_iam_unread(plan) else parts


def _markdown_unmanaged(records: Sequence[Unmanaged]) -> list[str]:
    """Those that grant something first: what does not fit is only counted."""
    ordered = sorted(records, key=lambda record: not record.allowed_from_addresses)
    items = (
        f"- {for_markdown(clip(record.name))} {for_markdown(clip(_describe_unmanaged(record)))}" for record in ordered
    )
    shown = fitting(items, NAMES_BYTES)
    more = [f"- and {len(records) - len(shown)} more"] if len(records) > len(shown) else []
    return ["", "Unmanaged records:", "", *shown, *more] if records else []


def _markdown_quotes(title: str, rows: Sequence[Named], describe: Callable[[Named], str]) -> list[str]:
    quotes = (f"> **{title}:** {for_markdown(clip(row.name))} {for_markdown(clip(describe(row)))}\n" for row in rows)
    shown = [quote.removesuffix("\n") for quote in fitting(quotes, QUOTES_BYTES)]
    more = [f"> and {len(rows) - len(shown)} more"] if len(rows) > len(shown) else []
    return [text for quote in [*shown, *more] for text in ("", quote)]


def _markdown_rows(changes: Sequence[Line]) -> list[str]:
    shown = fitting(map(_markdown_row, changes), TABLE_BYTES)
    if len(shown) < len(changes):  # then what widens a permission comes first, of users that exist before all others
        ordered = sorted(changes, key=lambda change: (not change.example, change.action == "create"))
        shown = fitting(map(_markdown_row, ordered), TABLE_BYTES)
    more = len(changes) - len(shown)
    return [*shown, f"| | … | {count(more, 'more change')} | | |"] if more else shown


def _markdown_row(change: Line) -> str:
    size = f"{change.policy_size}/{QUOTA}" if change.policy_size else ""
    details = "<br>".join(for_markdown(detail) for detail in change.details)
    cells = (f"`{SIGNS[change.action]}`", for_markdown(change.name), details, size, for_markdown(change.source))
    return f"| {' | '.join(cells)} |"


def _names(names: Sequence[str]) -> str:
    shown = fitting((f"{for_markdown(name)}," for name in names), NAMES_BYTES)
    more = len(names) - len(shown)
    return " ".join(shown).removesuffix(",") + (f" and {more} more" if more else "")
