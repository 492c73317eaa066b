"""What one run of the sweep found and did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.errors import THROTTLED, UNREACHABLE, AwsError
from reconciler.manager.converge import ConvergeResult


class Observer(Protocol):
    """Gets the result of each user at once, because a run can be interrupted."""

    def report(self, result: ConvergeResult) -> None: ...
    def retry(self, name: str, error: AwsError) -> None: ...
    def defect(self, name: str, error: Exception) -> None: ...
    def log(self, message: str, *, level: str = ..., **fields: object) -> None: ...


@dataclass(slots=True)
class SweepResult:
    """`failed`, `missed`, `unmanaged`, `trigger_fault` and `ses_…` are the current state, whatever this run did."""

    observer: Observer
    checked: int = 0
    repaired: int = 0
    quarantined: int = 0
    orphans: int = 0  # found, and not deleted yet
    orphans_removed: int = 0
    orphans_held: int = 0  # their grace period is over, but the safety limit withholds their deletion
    errors: int = 0
    failed: set[str] = field(default_factory=set)  # records with status failed, and invalid ones
    missed: list[str] = field(default_factory=list)  # records that the stream should have led to
    unmanaged: list[str] = field(default_factory=list)  # records that grant something, IAM users under our path
    trigger_fault: str = ""  # why no change of a record invokes the credential manager
    ses_sandbox: list[str] = field(default_factory=list)  # regions, and so in the next two
    ses_paused: list[str] = field(default_factory=list)
    ses_review: list[str] = field(default_factory=list)
    finished: bool = False  # the round: every record was checked
    stopped: str = ""  # why it is not finished
    steps: Counter[str] = field(default_factory=Counter)
    throttled: int = 0  # consecutive users for which AWS throttled, or was not reachable

    def add(self, result: ConvergeResult) -> None:
        self.throttled = 0
        self.repaired += bool(result.differences)
        self.quarantined += bool(result.warnings)
        self.steps.update(result.steps)
        if result.result == "failed":
            self.failed.add(result.name)
        elif result.result != "unchanged":
            self.failed.discard(result.name)
        if result.steps or result.differences or result.warnings or result.failure:
            self.observer.report(result)

    def add_error(self, name: str, error: Exception) -> None:
        self.errors += 1
        if isinstance(error, AwsError):
            self.throttled = self.throttled + 1 if error.code in THROTTLED | UNREACHABLE else 0
            self.observer.retry(name, error)
        else:
            self.throttled = 0
            self.observer.defect(name, error)

    def add_failed_check(self, what: str, error: Exception) -> None:
        """A check of something that is no user. The text of an unexpected error may contain anything."""
        self.errors += 1
        reason = str(error) if isinstance(error, AwsError) else type(error).__name__
        self.observer.log("check failed", level="warning", check=what, reason=reason)
