"""Is the IAM name of a user taken by an IAM user that is not managed?

Such a user is never modified: the SMTP user of that name fails, and no other is delayed. A plan only reports it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from reconciler.core.ownership import ListedUser, iam_path, iam_user_name
from reconciler.core.record import Record, parse_timestamp
from reconciler.planning.diff import Diff

# A record is settled after its IAM user was created; the clocks of IAM and of the functions may differ.
CLOCK_SKEW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TakenName:
    """`iam_user`: an IAM user without our tag, whose name is that of SMTP user `name` for IAM, which ignores case."""

    name: str
    iam_user: str


def find_suspects(
    environment: str, names: Iterable[str], records: Iterable[Record], listed: Iterable[ListedUser]
) -> dict[str, str]:
    """The IAM users whose tags have to be read, by the name of the SMTP user. Normally none.

    An IAM user is known to be managed if the credential manager settled the record after the user was created.
    """
    wanted, prefix = {name.lower(): name for name in names}, iam_user_name(environment, "").lower()
    settled = {record.name: record.settled_at for record in records}
    found = {
        name: user.name
        for user in listed
        if user.name.lower().startswith(prefix)
        and (name := wanted.get(user.name.lower().removeprefix(prefix)))
        and not _is_known(user, environment, name, settled.get(name, ""))
    }
    return dict(sorted(found.items()))


def _is_known(user: ListedUser, environment: str, name: str, settled_at: str) -> bool:
    settled = parse_timestamp(settled_at)
    place = (iam_path(environment), iam_user_name(environment, name))
    return (user.path, user.name) == place and settled is not None and user.created_at <= settled + CLOCK_SKEW


def names_to_check(changes: Diff) -> set[str]:
    """All but unmanaged records, which this environment does not touch."""
    return {*(change.name for change in changes.changes), *changes.unchanged, *changes.deleting}
