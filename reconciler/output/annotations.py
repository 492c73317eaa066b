"""Problems as annotations of a pull request: commands that GitHub's runner reads from the output of a step.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.text import count
from reconciler.errors import InvalidInput, Problem, ReconcileError
from reconciler.output.markdown import clip
from reconciler.output.neutral import for_log

MOST = 10  # of each kind: GitHub shows no more annotations of a step


def to_annotations(error: ReconcileError | None, warnings: Sequence[Problem] = ()) -> str:
    """One command per line. What exceeds GitHub's limit is in the log, and the last annotation says so."""
    problems: Sequence[Problem]
    if isinstance(error, InvalidInput):
        problems = error.problems
    else:
        problems = [Problem("", 0, 0, error.message, error.hint)] if error else []
    return "\n".join([*_commands("error", problems), *_commands("warning", warnings)])


def _commands(kind: str, problems: Sequence[Problem]) -> list[str]:
    if len(problems) <= MOST:
        return [_command(kind, problem) for problem in problems]
    shown, more = problems[: MOST - 1], len(problems) - MOST + 1
    last = Problem("", 0, 0, f"and {count(more, f'more {kind}')}: see the log of this step")
    return [_command(kind, problem) for problem in (*shown, last)]


def _command(kind: str, problem: Problem) -> str:
    place = {"file": problem.path, "line": problem.line, "col": problem.column}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in place.items() if value)
    hint = f"\nhint: {for_log(problem.hint)}" if problem.hint else ""
    return f"::{kind}{' ' if properties else ''}{properties}::{_data(clip(problem.message) + hint)}"


def _data(text: str) -> str:
    """As the runner reads it back: a line break would begin another command.

    https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(for_log(text)).replace(":", "%3A").replace(",", "%2C")
