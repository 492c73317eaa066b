"""Requests judged against policies by an independent evaluator of IAM."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "judge"
Document = Mapping[str, Any]
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Request:
    """One call as IAM sees it. `context`: condition keys beside the global ones."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} with {dict(self.context)}"


@dataclass(frozen=True)
class Principal:
    """Whose request it is, and every policy that has a say."""

    arn: str
    policies: tuple[Document, ...]
    boundary: Document | None = None

    def widened(self) -> Principal:
        """The same with a policy that allows everything: what a refusal must not survive."""
        return Principal(self.arn, (*self.policies, ALLOW_ALL), None)


class Judge:
    """Installs the evaluator once, from its lock, into a folder outside the checkout."""

    def __init__(self, folder: Path) -> None:
        for name in ("package.json", "package-lock.json", "judge.mjs"):
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, env=dict(os.environ))
        self.folder = folder

    def allowed(
        self, principal: Principal, requests: Iterable[Request], resource_policy: Document | None = None
    ) -> list[bool]:
        account = principal.arn.split(":")[4]
        simulations = [
            {
                "request": {
                    "principal": principal.arn,
                    "action": request.action,
                    "resource": {"resource": request.resource, "accountId": account},
                    "contextVariables": dict(request.context),
                },
                "identityPolicies": [
                    {"name": str(number), "policy": policy} for number, policy in enumerate(principal.policies)
                ],
                **({"resourcePolicy": resource_policy} if resource_policy else {}),
                **(
                    {"permissionBoundaryPolicies": [{"name": "boundary", "policy": principal.boundary}]}
                    if principal.boundary
                    else {}
                ),
            }
            for request in requests
        ]
        done = subprocess.run(
            ["node", "judge.mjs"], cwd=self.folder, input=json.dumps(simulations), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return [verdict == "Allowed" for verdict in json.loads(done.stdout)]
