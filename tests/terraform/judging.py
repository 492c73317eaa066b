"""Evaluate requests against policies with an independent IAM evaluator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "judge"
Document = Mapping[str, Any]
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Request:
    """One call as IAM evaluates it. `context`: condition keys in addition to the global ones."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} with {dict(self.context)}"


@dataclass(frozen=True)
class Principal:
    """The caller of a request, and every policy that applies to it."""

    arn: str
    policies: tuple[Document, ...]
    boundary: Document | None = None

    def widened(self) -> Principal:
        """The same principal with a policy that allows everything, without a boundary."""
        return Principal(self.arn, (*self.policies, ALLOW_ALL), None)


@dataclass(frozen=True)
class Case:
    """A request of a principal, with the policy of the resource where one applies."""

    principal: Principal
    request: Request
    resource_policy: Document | None = None


class Judge:
    """The evaluator, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @classmethod
    @contextmanager
    def start(cls, folder: Path) -> Iterator[Judge]:
        """Installs the evaluator from its lock file into a folder outside the checkout."""
        for name in ("package.json", "package-lock.json", "judge.mjs"):
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, env=dict(os.environ))
        pipe = subprocess.PIPE
        with subprocess.Popen(["node", "judge.mjs"], cwd=folder, stdin=pipe, stdout=pipe, text=True) as process:
            yield cls(process)

    def allowed(self, cases: Iterable[Case]) -> list[bool]:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([_simulation(case) for case in cases]), file=self._process.stdin, flush=True)
        verdicts = json.loads(self._process.stdout.readline())
        assert {*map(type, verdicts)} <= {str}, verdicts
        return [verdict == "Allowed" for verdict in verdicts]


def _simulation(case: Case) -> dict[str, Any]:
    principal, request = case.principal, case.request
    made: dict[str, Any] = {
        "request": {
            "principal": principal.arn,
            "action": request.action,
            "resource": {"resource": request.resource, "accountId": principal.arn.split(":")[4]},
            "contextVariables": dict(request.context),
        },
        "identityPolicies": [
            {"name": str(number), "policy": policy} for number, policy in enumerate(principal.policies)
        ],
    }
    if case.resource_policy:
        made["resourcePolicy"] = case.resource_policy
    if principal.boundary:
        made["permissionBoundaryPolicies"] = [{"name": "boundary", "policy": principal.boundary}]
    return made
