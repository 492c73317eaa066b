"""IAM's throttling and the retries of the SDK, in simulated time.

IAM throttles each API of an account with a token bucket that is refilled every second. AWS documents neither sizes nor
rates, so both are parameters: https://docs.aws.amazon.com/general/latest/gr/iam-service.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

READS = ("Get", "List")
# botocore's standard mode: https://docs.aws.amazon.com/boto3/latest/guide/retries.html
MOST_BACKOFF = 20.0  # seconds
QUOTA, RETRY_COST, REFUND = 500, 5, 1


@dataclass
class Bucket:
    """`rate`: tokens per second. `burst`: how many it holds."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def take(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Throttle:
    """One bucket for each API."""

    writes: tuple[float, float]
    reads: tuple[float, float]
    buckets: dict[str, Bucket] = field(default_factory=dict)
    admitted: int = 0
    refused: int = 0

    def admits(self, operation: str, now: float) -> bool:
        rate, burst = self.reads if operation.startswith(READS) else self.writes
        admitted = self.buckets.setdefault(operation, Bucket(rate, burst)).take(now)
        self.admitted += admitted
        self.refused += not admitted
        return admitted


@dataclass
class Retries:
    """The SDK's standard retries of one client, with its quota: retries that fail cost more than successes return."""

    random: Random
    quota: int = QUOTA

    def attempt(self, admits: Callable[[], bool], wait: Callable[[float], None], attempts: int) -> bool:
        """Whether one of the attempts was admitted. `wait` lets that many seconds pass."""
        cost = 0
        for number in range(attempts):
            if admits():
                self.quota = min(QUOTA, self.quota + (cost or REFUND))
                return True
            if number + 1 == attempts or self.quota < RETRY_COST:
                return False
            cost = RETRY_COST
            self.quota -= cost
            wait(min(self.random.random() * 2**number, MOST_BACKOFF))
        return False
