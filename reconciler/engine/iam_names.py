"""Look for IAM users that have taken the name of an SMTP user, where the caller may read IAM."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.aws.iam_names import IamNames
from reconciler.core.record import Record
from reconciler.errors import AwsError
from reconciler.planning.diff import Diff
from reconciler.planning.iam_names import TakenName, find_suspects, names_to_check


def find_taken(iam: IamNames, environment: str, changes: Diff, records: Sequence[Record]) -> list[TakenName] | None:
    """None if IAM could not be read: most roles that plan may not, and the check must not stop them."""
    try:
        suspects = find_suspects(environment, names_to_check(changes), records, iam.users())
        return [TakenName(name, iam_user) for name, iam_user in suspects.items() if iam.is_unmanaged(iam_user)]
    except AwsError:
        return None
