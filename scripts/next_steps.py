"""What a person does after an apply, with the values of the deployment filled in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.core.ses import SesAccount
from reconciler.manifests.environments import Environment


def next_steps(environment: Environment, outputs: dict[str, Any], accounts: list[SesAccount]) -> list[str]:
    """Lines to print. `outputs`: of modules/environment. `accounts`: the state of SES in each SMTP region."""
    steps = [*_steps(environment, outputs, accounts)]
    lines = [f"next steps for {environment.name} (docs/deploy.md):"]
    for number, (what, *commands) in enumerate(steps, 1):
        lines += [f"  {number}. {what}", *(f"     {command}" for command in commands)]
    return lines


def _steps(environment: Environment, outputs: dict[str, Any], accounts: list[SesAccount]) -> Iterator[tuple[str, ...]]:
    name, deployment = environment.name, environment.deployment
    if not environment.local:
        yield "Publish the DNS records, and check them:", f"reconcile dns --env {name}"
        if sandboxed := [account.region for account in accounts if account.sandbox]:
            yield (
                f"Request production access to SES in {', '.join(sandboxed)}: until then, only verified recipients "
                "receive mail.",
            )
        yield from _people(environment)
        if roles := outputs.get("ci_role_arns"):
            yield (
                "Let the GitHub environments use the roles, after their protection (docs/deploy.md):",
                f"gh variable set AWS_ROLE_ARN --env {name} --body {roles['apply']}",
                f"gh variable set AWS_ROLE_ARN --env {name}-plan --body {roles['plan']}",
                f"gh variable set AWS_REGION --env {name} --body {environment.region}",
                f"gh variable set AWS_REGION --env {name}-plan --body {environment.region}",
            )
        elif not deployment.github_subject_prefix:
            yield (f"To apply from GitHub, set github_subject_prefix of {name} in reconcile.yaml, and deploy again.",)
    yield "Grant: add entries below users/, then", f"reconcile apply --env {name}"


def _people(environment: Environment) -> Iterator[tuple[str, ...]]:
    deployment, name = environment.deployment, environment.name
    if deployment.alarm_emails:
        yield (f"Confirm the subscriptions that AWS sent to {', '.join(deployment.alarm_emails)}.",)
    else:
        yield (f"No one receives the alarms: set alarm_emails of {name} in reconcile.yaml, and deploy again.",)
    if not deployment.credential_readers and not deployment.external_credential_readers:
        yield (f"No one can read a credential: set credential_readers of {name} in reconcile.yaml, and deploy again.",)
