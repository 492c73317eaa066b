"""Access reviews for the tests of their output, of any size."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.differences import Drift
from reconciler.core.record import Revocation
from reconciler.planning.audit import Audit, Finding, Snapshot
from reconciler.planning.codeowners import parse
from reconciler.planning.report import Report, Uses, entries
from support.rows import K1, iam, settled
from support.world import a_user

AT = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
COMMIT = "3f2a9c81d0e4b7a6950c1f8e2d3b4a5968778695"
REPOSITORY = "https://github.com/example-org/smtp-users"
CODEOWNERS = parse("/users/ @example-org/mail\n/users/prod/legacy.yaml archive@example.com\n")
TEAMS = ("billing", "crm", "marketing", "platform", "shop", "support", "legacy")
PURPOSES = ("Invoices and reminders", "Order confirmations", "Alerts of the build servers", "Newsletter of the brand",
            "Password resets", "Appointments of customers", "Reports to the management every Monday")  # fmt: skip
NETWORKS = ((), ("203.0.113.0/24",), ("198.51.100.7/32", "2001:db8:12::/48"))


def a_report(*made: Any, notes: tuple[str, ...] = (), **fields: Any) -> Report:
    """`made`: entries."""
    given = {
        "environment": "prod", "account_id": "111122223333", "region": "eu-central-1", "at": AT,
        "by": "arn:aws:sts::111122223333:assumed-role/auditor/alice", "commit": COMMIT, "repository": REPOSITORY,
        "entries": tuple(made), "notes": notes,
    }  # fmt: skip
    return Report(**{**given, **fields})


def a_large_report(count: int) -> Report:
    """Users of seven teams in every state; the same for the same count."""
    records, identities, last, found = {}, {}, {}, []
    for n in range(count):
        team = TEAMS[n % 7]
        name = f"{team}-{n:04}"
        created = AT - timedelta(days=n * 37 % 400, hours=n % 24)
        fields: dict[str, Any] = {
            "description": PURPOSES[n % 5], "owner": f"{team}@example.com" if n % 29 else "",
            "allowed_source_ips": NETWORKS[n % 3], "enabled": n % 13 != 5,
            "expires": f"20{27 + n % 3}-0{n % 6 + 1}-28" if n % 4 else None,
        }  # fmt: skip
        addresses = [f"{name}@example.com", f"no-reply+{team}@news.example.com"][: 1 + n % 2]
        user = a_user(name, *(addresses if n % 11 else [f"*@{team}.example.com"]), **fields)
        record = settled(
            user,
            commit=COMMIT,
            manifest=f"users/prod/{team}.yaml",
            pull_request=f"{REPOSITORY}/pull/{100 + n % 40}" if n % 5 else "",
            approver=("dana", "dana eve", "")[n % 3],
            actor="arn:aws:sts::111122223333:assumed-role/ci/apply",
            managed_by="reconciler:prod",
            smtp_username=f"{K1}{n:04}",
            key_created_at=created.isoformat(),
        )
        if n % 17 == 3:
            record = replace(record, revoked=Revocation("arn:aws:iam::1:user/bob", "key in a public log", ""))
        if n % 97 == 40:
            record = replace(record, status="failed")
            found.append(Finding(name, Drift.FAILED, "AccessDenied: the boundary of the organization denies it"))
        if n % 83 == 12:
            found.append(Finding(name, Drift.POLICY_CHANGED, "its policy was changed"))
        records[name] = record
        identities[name] = iam(f"{K1}{n:04}")
        if n % 6:
            last[f"{K1}{n:04}"] = AT - timedelta(days=n * 53 % 200) if n % 5 else None
    audit = Audit("prod", count, count, count, count, findings=tuple(found))
    notes = ("Console passwords and other ways to sign in: reconcile drift --thorough reads them.",)
    made = entries(Snapshot({}, records, identities), audit, Uses(last), CODEOWNERS, AT)
    return a_report(*made, notes=notes)
