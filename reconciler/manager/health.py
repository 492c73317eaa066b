"""What the sweep checks besides users: the trigger of the credential manager, and the SES account of each region."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.core.ses import SesAccount
from reconciler.manager.sweep_result import SweepResult
from reconciler.ports import TriggerReader


@dataclass(frozen=True, slots=True)
class Health:
    """`accounts`: reads the SES account, by SMTP region."""

    trigger: TriggerReader
    accounts: Mapping[str, Callable[[], SesAccount]]

    def check(self, result: SweepResult) -> None:
        """A check that fails is counted as an error, and stops nothing."""
        with _counted("trigger", result):
            result.trigger_fault = self.trigger.read().fault
            if result.trigger_fault:
                message = "the stream does not trigger the credential manager"
                result.observer.log(message, level="error", reason=result.trigger_fault)
        for region, read in self.accounts.items():
            with _counted(f"SES in {region}", result):
                _note(read(), result)


def _note(account: SesAccount, result: SweepResult) -> None:
    for is_so, regions in (
        (account.sandbox, result.ses_sandbox),
        (account.paused, result.ses_paused),
        (account.under_review, result.ses_review),
    ):
        if is_so:
            regions.append(account.region)


@contextmanager
def _counted(what: str, result: SweepResult) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - users must be processed whatever else fails
        result.add_failed_check(what, error)
