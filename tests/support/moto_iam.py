"""What moto holds of IAM, for the rules of `tests/hook`: a look at it is cheaper than a call of its API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends

import aws_rules


class MotoHeld:
    """The account of all tests in this process."""

    def user_names(self) -> Iterable[str]:
        return [user.name for user in self._users.values()]

    def policies(self, user: str) -> dict[str, Any]:
        return dict(self._users[user].policies) if user in self._users else {}

    def access_keys(self, user: str) -> int:
        return len(self._users[user].access_keys) if user in self._users else 0

    @property
    def _users(self) -> dict[str, Any]:
        return dict(iam_backends[DEFAULT_ACCOUNT_ID]["aws"].users)


def use() -> None:
    """The emulators of AWS are other processes, at an address of this machine."""
    asked = aws_rules.held_at
    aws_rules.held_at = lambda endpoint: MotoHeld() if endpoint.endswith(".amazonaws.com") else asked(endpoint)
