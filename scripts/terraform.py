"""Terraform, run the same way for every environment: `make plan ENV=test` and its like end here.

Account and region come from `reconcile.yaml`. A plan is saved and exactly that plan is applied. Environment `sandbox`
is deployed on a bare local AWS, which is started when it is not up.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import click

from reconciler.aws.client import aws_errors
from reconciler.core.ownership import iam_path
from reconciler.core.text import count
from reconciler.engine.session import connect_checked
from reconciler.errors import EXIT_ERROR, EXIT_OK, ReconcileError, Refused
from reconciler.manifests.environments import Environment, load_environment
from reconciler.output.terminal import is_interactive, say, show_error
from reconciler.pipeline.lambda_zip import ROOT, build_zip
from reconciler.sandbox.emulator import Server, find_server, start_server, stop_server
from scripts.state_bucket import make_state_bucket, state_bucket_name

SANDBOX = ROOT / ".sandbox"
CAREFUL = frozenset({"prod"})  # asked about on a terminal before anything changes


class Deployment:
    """Terraform's commands for one environment."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.root = ROOT / "terraform" / "environments" / environment.name
        if not self.root.is_dir():
            raise ReconcileError(f"there is no {self.root.relative_to(ROOT)}", "copy the one of test and adapt it")

    def bootstrap(self) -> None:
        """Make the bucket that holds Terraform's state."""
        if self.environment.local:
            raise ReconcileError("the sandbox keeps its state in a file", "make apply ENV=sandbox")
        say(f"state bucket {make_state_bucket(self.environment)} is ready")

    def validate(self) -> None:
        """Offline: no account, no state."""
        build_zip()  # its hash is part of the configuration
        self._terraform("init", "-backend=false", "-input=false")
        self._terraform("validate")

    def init(self) -> None:
        build_zip()
        where = (
            []
            if self.environment.local
            else [f"-backend-config=bucket={state_bucket_name(self.environment)}",
                  f"-backend-config=region={self.environment.region}"]
        )  # fmt: skip
        self._terraform("init", "-input=false", "-reconfigure", *where)

    def plan(self) -> None:
        self.init()
        self._terraform("plan", "-input=false", f"-out={self._saved_plan}")

    def apply(self) -> None:
        self.plan()
        if self.environment.name in CAREFUL:
            self._ask("apply this plan")
        self._terraform("apply", "-input=false", self._saved_plan)

    def destroy(self) -> None:
        self.init()
        if not self.environment.local:
            self._refuse_while_users_exist()
            self._ask("destroy everything")
        self._terraform("destroy", "-input=false", "-auto-approve")
        if self.environment.local:
            stop_server(SANDBOX)
            for left in (".terraform", self._saved_plan, "terraform.tfstate", "terraform.tfstate.backup"):
                path = self.root / left
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def _refuse_while_users_exist(self) -> None:
        """IAM users are the credential manager's, not Terraform's: without it their keys would go on working."""
        name = self.environment.name
        client = connect_checked(self.environment, SANDBOX).session.client("iam")
        with aws_errors("iam:ListUsers"):
            pages = client.get_paginator("list_users").paginate(PathPrefix=iam_path(name))
            users = sum(len(page["Users"]) for page in pages)
        if users:
            hint = f"empty its manifests, then reconcile --env {name} --allow-empty --allow-deletes {users}"
            raise Refused([(f"{count(users, 'IAM user')} of {name} can still send mail", hint)])

    def outputs(self) -> None:
        self._terraform("output")

    @property
    def _saved_plan(self) -> str:
        return f"{self.environment.name}.tfplan"

    def _ask(self, what: str) -> None:
        if not is_interactive():
            raise ReconcileError(f"nobody is there to {what} in {self.environment.name}", "run it on a terminal")
        if click.prompt(f"To {what}, type the environment's name") != self.environment.name:
            raise ReconcileError("not confirmed; nothing was changed")

    def _terraform(self, *words: str) -> None:
        command = shutil.which("terraform")
        if command is None:
            raise ReconcileError("terraform is not installed", "Terraform 1.11 or newer is needed")
        env = {**os.environ, "TF_IN_AUTOMATION": "1"}
        if self.environment.local and words[0] not in ("validate",) and "-backend=false" not in words:
            env = local_environ(env, _bare_server(self.environment))
        done = subprocess.run([command, f"-chdir={self.root}", *words], env=env, check=False)  # noqa: S603
        if done.returncode:
            raise ReconcileError(f"terraform {words[0]} failed", "see above")


def local_environ(environ: dict[str, str], server: Server) -> dict[str, str]:
    """Settings under which every AWS tool talks to the local AWS, and to nothing else."""
    kept = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_ACCESS_KEY_ID": server.account_id,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": server.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _bare_server(environment: Environment) -> Server:
    server = find_server(SANDBOX) or start_server(SANDBOX, environment.account_id, environment.region, bare=True)
    if not server.bare:
        raise ReconcileError("the sandbox that is up was deployed by itself", "reconcile sandbox down, then again")
    return server


@click.command()
@click.argument("action", type=click.Choice(["bootstrap", "validate", "init", "plan", "apply", "destroy", "outputs"]))
@click.argument("env")
def main(action: str, env: str) -> None:
    """Run one of Terraform's commands for an environment."""
    try:
        deployment = Deployment(load_environment(ROOT / "reconcile.yaml", env))
        getattr(deployment, action)()
    except ReconcileError as error:
        show_error(error)
        raise SystemExit(EXIT_ERROR) from None
    raise SystemExit(EXIT_OK)


if __name__ == "__main__":
    main()
