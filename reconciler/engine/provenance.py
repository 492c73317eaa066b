"""Who requests a change, and from which commit: what a change carries into its record."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from reconciler.core.provenance import is_valid
from reconciler.core.record import manager_tag, timestamp
from reconciler.output.terminal import in_ci
from reconciler.planning.history import Comparison, Relation, Source
from reconciler.planning.limits import Refusal
from reconciler.planning.plan import Origin
from reconciler.ports import ChangeRequest

_REVIEWED = {"pull_request": "RECONCILE_PULL_REQUEST", "approver": "RECONCILE_APPROVER"}
_EXPECTED = {
    "pull_request": "an https URL of up to 255 characters, without query and fragment",
    "approver": "one or more logins, separated by one space, of up to 255 characters",
}


def make_origin(source: Source, caller: str, environ: Mapping[str, str]) -> Origin:
    """`caller`: the ARN that AWS knows. GitHub's variables stand next to it, and only in a workflow."""
    github = environ if in_github(environ) else {}
    reviewed = {field: value for field, value in _reviewed(environ).items() if is_valid(field, value)}
    return Origin(source.commit, caller, github.get("GITHUB_ACTOR", ""), _run_url(github), **reviewed)


def check_variables(environ: Mapping[str, str]) -> tuple[Refusal, ...]:
    """A warning for each variable of the workflow that is not stored."""
    return tuple(
        (f"{_REVIEWED[field]} is ignored: it is not {_EXPECTED[field]}", "correct the step that sets it")
        for field, value in _reviewed(environ).items()
        if value and not is_valid(field, value)
    )


def _reviewed(environ: Mapping[str, str]) -> dict[str, str]:
    """What the workflow says about the review of the commit; outside of CI, anyone could say anything."""
    if not (in_ci() or in_github(environ)):
        return {}
    return {field: environ.get(variable, "").strip() for field, variable in _REVIEWED.items()}


def make_request(environment: str, origin: Origin, environ: Mapping[str, str], now: datetime) -> ChangeRequest:
    """The correlation id is unique per run and begins with the commit: `3f2a9c81d0e4-17089`."""
    github = environ if in_github(environ) else {}
    run = "-".join(filter(None, (github.get("GITHUB_RUN_ID"), github.get("GITHUB_RUN_ATTEMPT"))))
    return ChangeRequest(
        managed_by=manager_tag(environment),
        commit=origin.commit,
        actor=origin.actor,
        correlation_id=f"{origin.commit[:12] or 'local'}-{run or secrets.token_hex(4)}",
        requested_at=timestamp(now),
        ci_actor=origin.ci_actor,
        run=origin.run,
        pull_request=origin.pull_request,
        approver=origin.approver,
    )


def in_github(environ: Mapping[str, str]) -> bool:
    return environ.get("GITHUB_ACTIONS") == "true"


def repository_url(environ: Mapping[str, str]) -> str:
    """Of the repository that a workflow runs for; '' elsewhere."""
    parts = [environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")]
    return "/".join(parts) if in_github(environ) and all(parts) else ""


def _run_url(github: Mapping[str, str]) -> str:
    parts = [github.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*parts) if all(parts) else ""


def check_workflow(found: Comparison, source: Source, environ: Mapping[str, str]) -> Comparison:
    """A workflow that was started for another commit than the checkout's, or by an outer repository, is unknown."""
    sha = environ.get("GITHUB_SHA", "")
    trusted = (Relation.SAME, Relation.AHEAD)
    if not in_github(environ) or not found.commit or sha == source.head or found.relation not in trusted:
        return found
    cause = f"the workflow runs for commit {sha[:12] or 'unknown'}, but the checkout is at {source.head[:12]}"
    fix = "check out the workflow's own commit; a submodule has its own history"
    return replace(found, relation=Relation.UNKNOWN, cause=cause, fix=fix)
