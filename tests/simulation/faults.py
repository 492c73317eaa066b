"""How a call may fail. Each fault is planned by the scenario; none is random."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import ClientError, ReadTimeoutError


class Kind(StrEnum):
    THROTTLED = "throttled"  # until the SDK gives up
    FAILED = "internal error"
    DENIED = "access denied"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    TIMED_OUT = "timed out, not done"
    TIMED_OUT_DONE = "timed out, but done"
    TIMED_OUT_LATE = "timed out, done later"
    REPEATED = "done twice by the SDK"


@dataclass
class Fault:
    """A fault of calls of `on` (service, operation or, if empty, any): the first `skip` succeed, then `times` fail."""

    kind: Kind
    on: str = ""
    skip: int = 0
    times: int = 1

    def __str__(self) -> str:
        which = f"the next {self.times} calls" if self.times > 1 else "the next call"
        of = f" of {self.on}" if self.on else ""
        after = f" (the first {self.skip} succeed)" if self.skip else ""
        return f"{which}{of}: {self.kind}{after}"


class Faults:
    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.met: Counter[str] = Counter()

    def plan(self, fault: Fault) -> None:
        self.planned.append(fault)

    def stop(self) -> None:
        self.planned.clear()

    def meet(self, service: str, operation: str) -> Kind | None:
        """The fault of this call: the first planned one that applies, if any."""
        for fault in self.planned:
            if fault.on not in ("", service, operation):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if not fault.times:
                self.planned.remove(fault)
            return fault.kind
        return None


def refusal(code: str, operation: str, message: str = "", status: int = 400) -> ClientError:
    """An error response of AWS, as botocore raises it."""
    metadata = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": message or code}, "ResponseMetadata": metadata}, operation)  # type: ignore[typeddict-item]


def time_out(service: str) -> ReadTimeoutError:
    return ReadTimeoutError(endpoint_url=f"https://{service}.example.com")


THROTTLED = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "streams": "LimitExceededException",
    "iam": "Throttling",
    "kms": "ThrottlingException",
    "lambda": "TooManyRequestsException",
    "ses": "TooManyRequestsException",
    "sqs": "RequestThrottled",
}
