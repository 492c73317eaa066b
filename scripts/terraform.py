"""Run Terraform in the same way for every environment: `make plan ENV=test` and similar targets call this script.

Account and region come from `reconcile.yaml`. A plan is saved, and exactly that plan is applied. Environment `sandbox`
is deployed on a bare local AWS, which is started if it is not running.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import click

from reconciler.aws.client import aws_errors
from reconciler.aws.ses import read_account
from reconciler.cli.deployability import check_deployable
from reconciler.core.ownership import iam_path
from reconciler.core.text import count
from reconciler.engine.session import Connection, connect_checked
from reconciler.errors import EXIT_ERROR, EXIT_OK, AwsError, InvalidInput, ReconcileError, Refused
from reconciler.manifests.environments import Environment, load_environment
from reconciler.output.prompt import can_ask
from reconciler.output.terminal import say, show_error
from reconciler.pipeline.lambda_zip import ROOT, build_zip
from reconciler.sandbox.emulator import Server, find_server, start_server, stop_server
from scripts.next_steps import next_steps
from scripts.preflight import check_deletable, check_resources, check_state_bucket, find_oidc_provider
from scripts.state_bucket import make_state_bucket, state_bucket_name

CONFIG = ROOT / "reconcile.yaml"
SANDBOX = ROOT / ".sandbox"


class Deployment:
    """The Terraform commands for one environment."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.root = ROOT / "terraform" / "environments" / environment.name
        self.variables: dict[str, str] = {}
        if not self.root.is_dir():
            hint = f"copy terraform/environments/test, and replace test by {environment.name} in its main.tf"
            raise ReconcileError(f"{self.root.relative_to(ROOT)} does not exist", hint)

    def bootstrap(self) -> None:
        """Create the bucket for the Terraform state."""
        if self.environment.local:
            raise ReconcileError("the sandbox needs no bucket: its state is in a file", "make apply ENV=sandbox")
        self._check_settings()
        say(f"state bucket {make_state_bucket(self.environment)} is configured")
        say(f"  next: make apply ENV={self.environment.name}")

    def validate(self) -> None:
        """Offline: needs no account and no state."""
        build_zip()  # its hash is part of the configuration
        self._terraform("init", "-backend=false", "-input=false")
        self._terraform("validate")

    def init(self) -> None:
        if found := find_oidc_provider(self._connect()):
            self.variables["TF_VAR_oidc_provider_arn"] = found
        build_zip()
        self._terraform("init", "-input=false", "-reconfigure", *self._backend())

    def plan(self) -> None:
        check_resources(self._connect())
        self.init()
        self._terraform("plan", "-input=false", f"-out={self._saved_plan}")

    def apply(self) -> None:
        self.plan()
        if self.environment.deployment.confirm:
            self._ask("apply this plan")
        self._terraform("apply", "-input=false", self._saved_plan)
        self._show_next_steps()

    def destroy(self) -> None:
        self.init()
        if not self.environment.local:
            self._refuse_while_users_exist()
        check_deletable(self._connect())
        if self.environment.deployment.confirm:
            self._ask("destroy everything")
        self._terraform("destroy", "-input=false", "-auto-approve")
        if self.environment.local:
            stop_server(SANDBOX)
            for left in (".terraform", self._saved_plan, "terraform.tfstate", "terraform.tfstate.backup"):
                path = self.root / left
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def outputs(self) -> None:
        self._connect()
        self._terraform("init", "-input=false", "-reconfigure", *self._backend(), captured=True)
        self._terraform("output")

    def _check_settings(self) -> None:
        if problems := check_deployable(CONFIG, [self.environment.name]):
            raise InvalidInput(problems)

    def _connect(self) -> Connection:
        """Before Terraform starts: valid settings, credentials of the right account, and the bucket of the state."""
        self._check_settings()
        if self.environment.local:
            _bare_server(self.environment)
            return connect_checked(self.environment, SANDBOX)
        connection = connect_checked(self.environment, SANDBOX)
        check_state_bucket(connection)
        return connection

    def _backend(self) -> list[str]:
        if self.environment.local:
            return []
        settings = {
            "bucket": state_bucket_name(self.environment),
            "region": self.environment.region,
            "allowed_account_ids": json.dumps([self.environment.account_id]),
        }
        if os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL_S3"):
            settings["use_path_style"] = "true"  # a host name below an endpoint of one's own seldom exists
        return [f"-backend-config={name}={value}" for name, value in settings.items()]

    def _show_next_steps(self) -> None:
        connection = connect_checked(self.environment, SANDBOX)
        accounts = []
        for region in self.environment.smtp_regions:
            try:
                accounts.append(read_account(connection.session.client("sesv2", region_name=region), region))
            except AwsError as error:
                say(f"warning: the state of SES in {region} is unknown: {error.message}", err=True, fg="yellow")
        done = self._terraform("output", "-json", "environment", captured=True)
        for line in next_steps(self.environment, json.loads(done), accounts):
            say(line)

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

    @property
    def _saved_plan(self) -> str:
        return f"{self.environment.name}.tfplan"

    def _ask(self, what: str) -> None:
        if not can_ask():
            message = f"confirmation is required to {what} in {self.environment.name} (confirm: true)"
            raise ReconcileError(message, "run this command in a terminal")
        if click.prompt(f"To {what}, type the name of the environment") != self.environment.name:
            raise ReconcileError("not confirmed; nothing was changed")

    def _terraform(self, *words: str, captured: bool = False) -> str:
        command = shutil.which("terraform")
        if command is None:
            raise ReconcileError("terraform is not installed", "install Terraform 1.11 or newer")
        env = {**os.environ, "TF_IN_AUTOMATION": "1", **self.variables}
        if self.environment.local and words[0] not in ("validate",) and "-backend=false" not in words:
            env = local_environ(env, _bare_server(self.environment))
        output = subprocess.PIPE if captured else None
        done = subprocess.run([command, f"-chdir={self.root}", *words], env=env, check=False, stdout=output)  # noqa: S603
        if done.returncode:
            raise ReconcileError(f"terraform {words[0]} failed", "see its output above")
        return (done.stdout or b"").decode()


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
        deployment = Deployment(load_environment(CONFIG, env))
        getattr(deployment, action)()
    except ReconcileError as error:
        show_error(error)
        raise SystemExit(EXIT_ERROR) from None
    raise SystemExit(EXIT_OK)


if __name__ == "__main__":
    main()
