"""Which workflows may sign in to AWS: GitHub's tokens against the trust policies as Terraform created them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from terraform.conftest import Deployed
from terraform.policies import CI

pytestmark = pytest.mark.xdist_group("terraform")

ISSUER = "token.actions.githubusercontent.com"
REPOSITORY = "repo:example/smtp-users"  # of reconcile.yaml
ENVIRONMENTS = {"plan": "sandbox-plan", "apply": "sandbox"}

# Every event by which the head of a pull request can start a workflow that it changes, and the ref of its token.
# https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
OF_A_HEAD = {
    "pull_request": "refs/pull/7/merge",
    "pull_request_review": "refs/pull/7/merge",
    "push of its branch": "refs/heads/feature",
    "push of a branch with a similar name": "refs/heads/main2",
    "push of a tag with the name of main": "refs/tags/main",
    "workflow_dispatch on its branch": "refs/heads/feature",
}
OF_MAIN = ("push", "schedule", "workflow_dispatch", "workflow_run")


def token(environment: str, ref: str, repository: str = REPOSITORY) -> dict[str, str]:
    return {"aud": "sts.amazonaws.com", "sub": f"{repository}:environment:{environment}", "ref": ref}


def trusts(document: Any, claims: dict[str, str]) -> bool:
    """`StringEquals` only, which the first assertion checks."""
    (statement,) = document["Statement"]
    assert {*statement["Condition"]} == {"StringEquals"}
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    wanted = {key.removeprefix(f"{ISSUER}:"): value for key, value in statement["Condition"]["StringEquals"].items()}
    return all(claims.get(name) in (value if isinstance(value, list) else [value]) for name, value in wanted.items())


@pytest.mark.parametrize("role", CI)
def test_only_workflows_of_main_may_sign_in(inhabited: Deployed, role: str) -> None:
    document = inhabited.client("iam").get_role(RoleName=CI[role])["Role"]["AssumeRolePolicyDocument"]
    document = document if isinstance(document, dict) else json.loads(document)
    own, other = ENVIRONMENTS[role], ENVIRONMENTS["apply" if role == "plan" else "plan"]
    assert trusts(document, token(own, "refs/heads/main")), OF_MAIN
    for event, ref in OF_A_HEAD.items():
        for environment in (own, other, "another"):
            assert not trusts(document, token(environment, ref)), event
    assert not trusts(document, token(other, "refs/heads/main"))
    assert not trusts(document, token(own, "refs/heads/main", "repo:example/another"))
    without = token(own, "refs/heads/main")
    del without["ref"]
    assert not trusts(document, without)
