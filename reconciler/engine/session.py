"""The reconciler's access to AWS: one session for an environment, and the adapters made from it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from boto3.session import Session
from botocore.config import Config

from reconciler.aws.applied_state import DynamoAppliedStates
from reconciler.aws.client import UNRETRIED, aws_errors, core_session
from reconciler.aws.dynamodb import keep_items
from reconciler.aws.iam import IamIdentities
from reconciler.aws.iam_names import IamNames
from reconciler.aws.iam_reader import IamReader
from reconciler.aws.key_uses import KeyUses
from reconciler.aws.kms import KmsVault
from reconciler.aws.records import DynamoRecordWriter
from reconciler.core.arn import iam_arn
from reconciler.engine.aws_configuration import check_credentials, configuration_errors
from reconciler.errors import ReconcileError, Refused
from reconciler.manifests.environments import Environment
from reconciler.pipeline.definition import load_pipeline
from reconciler.planning.limits import check_target
from reconciler.sandbox.emulator import find_server
from reconciler.sandbox.session import sandbox_session

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_sesv2 import SESV2Client

# Many records are written and many users read at once: adaptive mode slows down where AWS throttles.
CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "adaptive", "total_max_attempts": 8},
    max_pool_connections=16,
)
# For what is only additional information.
BRIEF = CONFIG.merge(Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}))
# A local AWS that has ended does not come back by itself.
LOCAL_CONFIG = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 3}))


@dataclass(frozen=True)
class Connection:
    environment: Environment
    session: Session

    def target(self) -> tuple[str, str]:
        """Where writes would go: (account id, region)."""
        return self._identity["Account"], self.session.region_name

    def caller(self) -> str:
        """Who makes the calls: an ARN."""
        return str(self._identity["Arn"])

    def store(self) -> DynamoRecordWriter:
        return DynamoRecordWriter(self._dynamodb(), self.environment.table, self.environment.rules)

    def applied_states(self) -> DynamoAppliedStates:
        return DynamoAppliedStates(self._dynamodb(), self.environment.table)

    def identities(self) -> IamIdentities:
        environment = self.environment
        policy = f"policy/{load_pipeline(environment.name).names['boundary']}"
        boundary = iam_arn(environment.region, environment.account_id, policy)
        tags = environment.deployment.iam_user_tags
        return IamIdentities(self._client("iam"), self._client("iam", UNRETRIED), environment.name, boundary, tags)

    def reader(self) -> IamReader:
        return IamReader(self.identities(), self.environment.deployment.wide_reads)

    def key_uses(self) -> KeyUses:
        return KeyUses(self._client("iam"))

    def iam_names(self) -> IamNames:
        return IamNames(self._client("iam"))

    def vault(self) -> KmsVault:
        alias = load_pipeline(self.environment.name).names["key_alias"]
        return KmsVault(self._client("kms"), alias, self.environment.name)

    def ses(self, region: str, config: Config | None = None) -> SESV2Client:
        return cast("SESV2Client", self._client("sesv2", config, region))

    @cached_property
    def _identity(self) -> Any:
        check_credentials(self.session)
        client = self._client("sts")
        with aws_errors("sts:GetCallerIdentity"):
            return client.get_caller_identity()

    def _dynamodb(self) -> DynamoDBClient:
        client: DynamoDBClient = self._client("dynamodb")
        keep_items(client)
        return client

    def _client(self, service: Any, config: Config | None = None, region: str | None = None) -> Any:
        config = config or (LOCAL_CONFIG if self.environment.local else CONFIG)
        with configuration_errors(self.session.profile_name):
            return self.session.client(service, config=config, region_name=region)


def connect(environment: Environment, sandbox_folder: Path) -> Connection:
    """The sandbox's session for a local environment; the caller's own credentials and region for any other."""
    if environment.local:
        server = find_server(sandbox_folder)
        if server is None:
            raise ReconcileError("the sandbox is not running", "start it: reconcile sandbox up")
        return Connection(environment, sandbox_session(server))
    with configuration_errors(os.environ.get("AWS_PROFILE", "")):
        # boto3 reads AWS_DEFAULT_REGION and the profile; AWS_REGION is what other tools read.
        core = core_session()
        session = Session(region_name=os.environ.get("AWS_REGION"), botocore_session=core)
        if session.region_name is None:
            session = Session(region_name=environment.region, botocore_session=core)
    return Connection(environment, session)


def connect_checked(environment: Environment, sandbox_folder: Path) -> Connection:
    """Raises Refused if account or region are not those of `reconcile.yaml`."""
    connection = connect(environment, sandbox_folder)
    wanted = (environment.account_id, environment.region)
    if refusals := check_target(wanted, connection.target(), environment.name):
        raise Refused(refusals)
    return connection
