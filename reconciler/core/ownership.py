"""What is ours in IAM: deterministic names, an own path, and the mark."""

from __future__ import annotations

# Our mark on an IAM user: this tag, and nothing else.
MARK, OWNER = "managed-by", "ses-smtp-reconciler"


def iam_user_name(environment: str, name: str) -> str:
    """One name, one IAM user. Environment names have no '-', so two environments never meet."""
    return f"smtp-{environment}-{name}"


def smtp_user_name(environment: str, iam_user: str) -> str | None:
    """The SMTP user that an IAM user of this environment stands for; None for any other IAM user."""
    prefix = iam_user_name(environment, "")
    return iam_user.removeprefix(prefix) if iam_user.startswith(prefix) else None


def iam_path(environment: str) -> str:
    return f"/smtp/{environment}/"


def ownership_tags(environment: str, name: str) -> dict[str, str]:
    """The mark, and whom the user is for."""
    return {MARK: OWNER, "smtp-environment": environment, "smtp-user": name}
