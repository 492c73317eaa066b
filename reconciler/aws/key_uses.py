"""When access keys were used last: one call for each key."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.aws.client import aws_errors
from reconciler.aws.iam_reader import READERS
from reconciler.errors import AwsError

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

KeyUse = tuple[str, datetime | AwsError | None]  # the key's id, and its last use, or None: it was never used


def _readers() -> Executor:
    return ThreadPoolExecutor(READERS)


@dataclass(frozen=True, slots=True)
class KeyUses:
    client: IAMClient
    pool: Callable[[], Executor] = _readers

    def read(self, key_ids: Iterable[str]) -> Generator[KeyUse]:
        """Each key in the order given, or why its use could not be read; several at the same time."""
        with self.pool() as pool:
            yield from pool.map(self._read, key_ids)

    def _read(self, key_id: str) -> KeyUse:
        """No date means: not used since April 2015, when IAM began to store it. No SMTP user is as old.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html
        """
        try:
            with aws_errors("iam:GetAccessKeyLastUsed"):
                answer = self.client.get_access_key_last_used(AccessKeyId=key_id)
        except AwsError as error:
            return key_id, error
        return key_id, answer["AccessKeyLastUsed"].get("LastUsedDate")
