"""AWS calls of the credential manager for each operation on a user, next to the least possible. Prints JSON.

python -m scripts.bench.calls, with the tests on the path: it uses their in-process AWS.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

# Every operation reads the record and writes the result. Whether an IAM user is managed is in its tags (GetUser), and
# which keys it has is not in the record alone (ListAccessKeys): no operation on an existing user can do without both.
# An edit that does not concern IAM needs neither. A changed grant comes from another commit, which is in a tag.
LEAST = {
    "create a user": 7,
    "deliver the same event again": 1,
    "edit a description": 2,
    "change the grant": 6,
    "disable": 5,
    "enable": 6,
    "rotate": 6,
    "delete a user with two keys": 8,
}


def operations(world: Any) -> dict[str, Callable[[], None]]:
    """What is declared, in this order: each continues with the result of the one before."""
    from support.world import a_user

    return {
        "create a user": lambda: world.ask(a_user()),
        "deliver the same event again": lambda: None,
        "edit a description": lambda: world.ask(a_user(description="changed")),
        "change the grant": lambda: world.ask(a_user("billing-mailer", "invoices@example.com")),
        "disable": lambda: world.ask(a_user("billing-mailer", "invoices@example.com", enabled=False)),
        "enable": lambda: world.ask(a_user("billing-mailer", "invoices@example.com")),
        "rotate": lambda: world.ask(a_user("billing-mailer", "invoices@example.com", credential=2)),
        "delete a user with two keys": world.ask_delete,
    }


def count_calls() -> dict[str, list[str]]:
    from support.world import make_world

    found = {}
    with make_world() as world:
        for name, declare in operations(world).items():
            declare()
            with world.calls() as made:
                world.converge()
            found[name] = list(made)
            world.pass_time(seconds=90)
    return found


if __name__ == "__main__":
    print(json.dumps(count_calls()))
