"""Which IAM users are managed: deterministic names, an own path, and the ownership tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

# An IAM user is managed if it carries this tag, and only then.
OWNER_TAG, OWNER = "managed-by", "ses-smtp-reconciler"


def iam_user_name(environment: str, name: str) -> str:
    """Each name maps to one IAM user. Environment names contain no '-', so two environments never collide."""
    return f"smtp-{environment}-{name}"


def smtp_user_name(environment: str, iam_user: str) -> str | None:
    """The SMTP user to which an IAM user of this environment belongs; None for any other IAM user."""
    prefix = iam_user_name(environment, "")
    return iam_user.removeprefix(prefix) if iam_user.startswith(prefix) else None


def iam_path(environment: str) -> str:
    return f"/smtp/{environment}/"


def ownership_tags(environment: str, name: str) -> dict[str, str]:
    """The ownership tag, and the SMTP user that the IAM user belongs to."""
    return {OWNER_TAG: OWNER, "smtp-environment": environment, "smtp-user": name}


def carries(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether an IAM user has all wanted tags. Other tags do not matter.

    The tag keys of IAM users are not case-sensitive: `Team` and `team` are one tag, in the case of one of them.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    folded = {key.lower(): value for key, value in found.items()}
    return all(folded.get(key.lower()) == value for key, value in wanted.items())


@dataclass(frozen=True, slots=True)
class ListedUser:
    """An IAM user as ListUsers returns it: without its tags."""

    name: str
    path: str
    created_at: datetime
