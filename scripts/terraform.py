"""Run Terraform in the same way for every environment: `make plan ENV=test` and similar targets call this script.

Account and region come from `reconcile.yaml`. A plan is saved, and exactly that plan is applied. Environment `sandbox`
is deployed on a bare local AWS, which is started if it is not running.
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
from reconciler.output.prompt import can_ask
from reconciler.output.terminal import say, show_error
from reconciler.pipeline.lambda_zip import ROOT, build_zip
from reconciler.sandbox.emulator import Server, find_server, start_server, stop_server
from scripts.state_bucket import make_state_bucket, state_bucket_name

SANDBOX = ROOT / ".sandbox"
CONFIRMED = frozenset({"prod"})  # apply asks for confirmation first


class Deployment:
    """The Terraform commands for one environment."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.root = ROOT / "terraform" / "environments" / environment.name
        if not self.root.is_dir():
            raise ReconcileError(
                f"{self.root.relative_to(ROOT)} does not exist", "copy terraform/environments/test and adapt it"
            )

    def bootstrap(self) -> None:
        """Create the bucket for the Terraform state."""
        if self.environment.local:
            raise ReconcileError("the sandbox needs no bucket: its state is in a file", "make apply ENV=sandbox")
        say(f"state bucket {make_state_bucket(self.environment)} is configured")

    def validate(self) -> None:
        """Offline: needs no account and no state."""
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
        if self.environment.name in CONFIRMED:
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
        """The credential manager owns the IAM users. Without it, their access keys would continue to work."""
        name = self.environment.name
        client = connect_checked(self.environment, SANDBOX).session.client("iam")
        with aws_errors("iam:ListUsers"):
            pages = client.get_paginator("list_users").paginate(PathPrefix=iam_path(name))
            users = sum(len(page["Users"]) for page in pages)
        if users:
            command = f"reconcile --env {name} --allow-empty --allow-deletes {users}"
            hint = f"remove all users from its manifests, then: {command}"
            raise Refused([(f"{count(users, 'IAM user')} of {name} can still send mail", hint)])

    def outputs(self) -> None:
        self._terraform("output")

    @property
    def _saved_plan(self) -> str:
        return f"{self.environment.name}.tfplan"

    def _ask(self, what: str) -> None:
        if not can_ask():
            raise ReconcileError(
                f"confirmation is required to {what} in {self.environment.name}", "run this command in a terminal"
            )
        if click.prompt(f"To {what}, type the name of the environment") != self.environment.name:
            raise ReconcileError("not confirmed; nothing was changed")

    def _terraform(self, *words: str) -> None:
        command = shutil.which("terraform")
        if command is None:
            raise ReconcileError("terraform is not installed", "install Terraform 1.11 or newer")
        env = {**os.environ, "TF_IN_AUTOMATION": "1"}
        if self.environment.local and words[0] not in ("validate",) and "-backend=false" not in words:
            env = local_environ(env, _bare_server(self.environment))
        done = subprocess.run([command, f"-chdir={self.root}", *words], env=env, check=False)  # noqa: S603
        if done.returncode:
            raise ReconcileError(f"terraform {words[0]} failed", "see its output above")


def local_environ(environ: dict[str, str], server: Server) -> dict[str, str]:
    """Environment variables with which every AWS tool uses the local AWS and nothing else."""
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
        raise ReconcileError(
            "the running sandbox was not started for Terraform", "run `reconcile sandbox down`, then try again"
        )
    return server


@click.command()
@click.argument("action", type=click.Choice(["bootstrap", "validate", "init", "plan", "apply", "destroy", "outputs"]))
@click.argument("env")
def main(action: str, env: str) -> None:
    """Run a Terraform command for an environment."""
    try:
        deployment = Deployment(load_environment(ROOT / "reconcile.yaml", env))
        getattr(deployment, action)()
    except ReconcileError as error:
        show_error(error)
        raise SystemExit(EXIT_ERROR) from None
    raise SystemExit(EXIT_OK)


if __name__ == "__main__":
    main()
