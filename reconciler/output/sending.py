"""Who may send as an address, and why: as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.core.record import timestamp
from reconciler.core.text import count
from reconciler.output.neutral import for_json
from reconciler.output.styled import Style, StyledLine, line
from reconciler.planning.sending import Answer, Question

SCOPE = (
    "This covers only the users of this system. Other IAM users and roles of the account, and the SES API, may be able "
    "to send as this address, too."
)
DECLARED = "As the manifests declare it; --deployed reads what IAM has."


def senders_to_lines(question: Question, answers: Sequence[Answer], *, deployed: bool) -> list[StyledLine]:
    allowed = [answer for answer in answers if answer.verdict.allowed]
    lines = [line(f"{count(len(allowed), 'user')} may send as {_asked(question)}", Style.HEADING)]
    for answer in answers:
        lines += _answer(answer)
    return [*lines, *([] if deployed else [line(DECLARED, Style.MUTED)]), line(SCOPE, Style.MUTED)]


def explanation_to_lines(question: Question, answers: Sequence[Answer], *, deployed: bool) -> list[StyledLine]:
    lines: list[StyledLine] = []
    for answer in answers:
        word = "may" if answer.verdict.allowed else "is unknown to" if answer.verdict.is_unknown else "may not"
        style = Style.GOOD if answer.verdict.allowed else Style.BAD
        lines.append(line(f"{answer.name} of {answer.environment} {word} send as {_asked(question)}", style))
        lines += [line(text) for text in _details(answer)]
    return [*lines, *([] if deployed else [line(DECLARED, Style.MUTED)]), line(SCOPE, Style.MUTED)]


def _asked(question: Question) -> str:
    source = f" from {question.source_ip}" if question.source_ip else ""
    return f"{question.from_address}{source} at {timestamp(question.at)}"


def _answer(answer: Answer) -> list[StyledLine]:
    style = Style.CHANGED if answer.verdict.is_unknown else None
    sign = "?" if answer.verdict.is_unknown else "+"
    return [line(f"  {sign} {answer.environment} {answer.name}", style), *map(line, _details(answer))]


def _details(answer: Answer) -> Iterator[str]:
    yield f"      {answer.verdict.text}"
    yield from (f"      {condition}" for condition in answer.verdict.conditions)
    for manifest, number, field, value in answer.places:
        yield f"      {manifest}:{number}: {field}{f' {value}' if value else ''}"


def to_json(question: Question, answers: Sequence[Answer], notes: Sequence[str], *, deployed: bool) -> str:
    return for_json(
        {
            "format": 1,
            "from_address": question.from_address,
            "source_ip": question.source_ip or None,
            "at": timestamp(question.at),
            "deployed": deployed,
            "notes": [*notes],
            "scope": SCOPE,
            "answers": [_to_dict(answer) for answer in answers],
        }
    )


def _to_dict(answer: Answer) -> dict[str, Any]:
    verdict = answer.verdict
    return {
        "environment": answer.environment,
        "name": answer.name,
        "allowed": None if verdict.is_unknown else verdict.allowed,
        "reason": verdict.reason,
        "text": verdict.text,
        "conditions": list(verdict.conditions),
        "deciding": [
            {"manifest": manifest, "line": number, "field": field, "value": value or None}
            for manifest, number, field, value in answer.places
        ],
    }
