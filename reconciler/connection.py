"""The reconciler's way to AWS: one session for an environment, and the adapters made from it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from reconciler.aws import UNRETRIED, aws_errors
from reconciler.core.guard import check_target
from reconciler.core.policy import partition
from reconciler.errors import ReconcileError, Refused
from reconciler.identity import IamIdentities
from reconciler.pipeline import load_pipeline
from reconciler.sandbox.server import Server, find_server
from reconciler.settings import Environment
from reconciler.store import DynamoStore
from reconciler.vault import KmsVault

# Many rows are written and many users read at once: adaptive mode slows down where AWS throttles.
CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "adaptive", "total_max_attempts": 8},
    max_pool_connections=16,
)


@dataclass(frozen=True, slots=True)
class Connection:
    environment: Environment
    session: Session

    def target(self) -> tuple[str, str]:
        """Where writes would really go: (account id, region)."""
        with aws_errors("sts:GetCallerIdentity"):
            account = self.session.client("sts", config=CONFIG).get_caller_identity()["Account"]
        return account, self.session.region_name

    def caller(self) -> str:
        """Who asks, as AWS knows them: an ARN."""
        with aws_errors("sts:GetCallerIdentity"):
            return self.session.client("sts", config=CONFIG).get_caller_identity()["Arn"]

    def store(self) -> DynamoStore:
        client = self.session.client("dynamodb", config=CONFIG)
        return DynamoStore(client, self.environment.table, self.environment.rules)

    def identities(self) -> IamIdentities:
        environment = self.environment
        policy = f"policy/{load_pipeline(environment.name).names['boundary']}"
        boundary = f"arn:{partition(environment.region)}:iam::{environment.account_id}:{policy}"
        iam, unretried = (self.session.client("iam", config=config) for config in (CONFIG, UNRETRIED))
        return IamIdentities(iam, unretried, environment.name, boundary)

    def vault(self) -> KmsVault:
        alias = load_pipeline(self.environment.name).names["key_alias"]
        return KmsVault(self.session.client("kms", config=CONFIG), alias, self.environment.name)


def connect(environment: Environment, sandbox_folder: Path) -> Connection:
    """The sandbox's session for a local environment, the caller's own credentials and region for any other."""
    if environment.local:
        server = find_server(sandbox_folder)
        if server is None:
            raise ReconcileError("the sandbox is not running", "start it: reconcile sandbox up")
        return Connection(environment, sandbox_session(server))
    try:
        # boto3 reads AWS_DEFAULT_REGION and the profile; AWS_REGION is what other tools read.
        session = Session(region_name=os.environ.get("AWS_REGION"))
        if session.region_name is None:
            session = Session(region_name=environment.region)
    except BotoCoreError as error:
        raise ReconcileError(f"AWS configuration: {error}", "check AWS_PROFILE and ~/.aws/config") from None
    return Connection(environment, session)


def connect_checked(environment: Environment, sandbox_folder: Path) -> Connection:
    """Raises Refused where account or region are not those of `reconcile.yaml`."""
    connection = connect(environment, sandbox_folder)
    wanted = (environment.account_id, environment.region)
    if refusals := check_target(wanted, connection.target(), environment.name):
        raise Refused(refusals)
    return connection


def sandbox_session(server: Server) -> Session:
    """Every client of this session talks to the local endpoint, whatever the machine's AWS settings say."""
    nowhere = (None, None, os.devnull, None)
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": nowhere,
            "credentials_file": nowhere,
        }
    )
    return _LocalSession(core, server)


class _LocalSession(Session):
    def __init__(self, core: botocore.session.Session, server: Server) -> None:
        super().__init__(
            aws_access_key_id=server.account_id,  # the emulator reads the account from it
            aws_secret_access_key="local",  # noqa: S106 - it checks no signature
            region_name=server.region,
            botocore_session=core,
        )
        self._endpoint = server.endpoint

    def client(self, *args: Any, **kwargs: Any) -> Any:
        return super().client(*args, **{"endpoint_url": self._endpoint, **kwargs})
