"""`plan --out FILE` and `apply --plan FILE`: what was reviewed is what is applied."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import ReconcileError
from reconciler.output.neutral import for_json
from reconciler.output.plan_json import to_dict
from reconciler.planning.plan import Plan
from reconciler.planning.plan_file import Basis, find_difference, to_document

LARGEST = 64 << 20  # bytes: the plan of as many users as IAM allows is a tenth of it


def save_plan(path: Path, basis: Basis, plan: Plan) -> None:
    path.write_text(for_json(to_document(basis, to_dict(plan))) + "\n", encoding="utf-8")


def read_plan(path: Path) -> str:
    """Before anything else is read. Raises ReconcileError for what cannot be a plan file."""
    if path.is_file() and path.stat().st_size > LARGEST:
        raise _refused(path, "it is not a plan file")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _refused(path, "it is not a plan file") from None


def check_plan(path: Path, text: str, basis: Basis, plan: Plan) -> None:
    """Raises ReconcileError if the plan in the file is not exactly the one of now."""
    if difference := find_difference(text, basis, to_dict(plan)):
        raise _refused(path, difference)


def _refused(path: Path, reason: str) -> ReconcileError:
    return ReconcileError(f"{path}: {reason}; nothing was changed", "plan again: reconcile plan --out FILE")
