"""Questions to AWS before Terraform starts: what would stop an apply half-way is refused here, with a hint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.aws.client import aws_errors
from reconciler.core.arn import account_of
from reconciler.engine.session import Connection
from reconciler.errors import AwsError, ReconcileError, Refused
from reconciler.manifests.environments import Environment
from reconciler.pipeline.definition import load_pipeline
from scripts.state_bucket import state_bucket_name

Reason = tuple[str, str]
ISSUER = "token.actions.githubusercontent.com"
# What must stay unreserved: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
UNRESERVED = 100
UNRESERVED_OF_NEW_ACCOUNTS = 10  # whose limit is below 100
ABSENT = frozenset({"NoSuchEntity", "NotFoundException", "ResourceNotFoundException"})


def check_state_bucket(connection: Connection) -> None:
    """Raises ReconcileError if the bucket of the Terraform state is missing or belongs to another account."""
    environment = connection.environment
    name = state_bucket_name(environment)
    try:
        with aws_errors("s3:ListBucket"):  # the permission that HeadBucket needs
            connection.session.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=environment.account_id)
    except AwsError as error:
        if error.code in ("404", "NoSuchBucket"):
            hint = f"create it: make bootstrap ENV={environment.name}"
            raise ReconcileError(f"the bucket of the Terraform state, {name}, does not exist", hint) from None
        if error.code == "403":
            message = f"the bucket of the Terraform state, {name}, cannot be read, or belongs to another account"
            raise ReconcileError(message, "the credentials need s3:ListBucket on it") from None
        raise


def check_deletable(connection: Connection) -> None:
    """Raises Refused if the table is protected: everything else would be destroyed before AWS refuses that."""
    environment = connection.environment
    if environment.deployment.existing_table:
        return
    client = connection.session.client("dynamodb")
    found = _find("dynamodb:DescribeTable", lambda: client.describe_table(TableName=environment.table)["Table"])
    if found and found.get("DeletionProtectionEnabled"):
        hint = f"set deletion_protection: false in reconcile.yaml, then: make apply ENV={environment.name}"
        raise Refused([(f"the table {environment.table} is protected from deletion", hint)])


def check_resources(connection: Connection) -> None:
    """What the account has already, compared with reconcile.yaml. Raises Refused."""
    account = _Account(connection, connection.environment)
    reasons = [
        *account.identities_and_sets(),
        *account.table(),
        *account.principals(),
        *account.concurrency(),
    ]
    if reasons:
        raise Refused(reasons)


def find_oidc_provider(connection: Connection) -> str:
    """The provider for GitHub that something else manages; an account has only one. Empty if there is none."""
    return _Account(connection, connection.environment).oidc_provider()


@dataclass(frozen=True, slots=True)
class _Account:
    connection: Connection
    environment: Environment

    def identities_and_sets(self) -> Iterator[Reason]:
        environment, deployment = self.environment, self.environment.deployment
        for region in environment.smtp_regions:
            client = self.connection.session.client("sesv2", region_name=region)
            with aws_errors("ses:ListEmailIdentities"):
                pages = _pages(client.list_email_identities, "EmailIdentities")
                present = {found["IdentityName"] for found in pages} & environment.allowed_domains
            for domain in sorted(present):
                with aws_errors("ses:GetEmailIdentity"):
                    found = client.get_email_identity(EmailIdentity=domain)
                existing = domain in deployment.existing_identities
                hint = f"identities: {{{domain}: existing}}"
                yield from self._compare(f"the SES identity {domain}", region, found.get("Tags", []), existing, hint)
            for domain in sorted(deployment.existing_identities - present):
                yield (
                    f"the SES identity {domain} does not exist in {region}",
                    "create it there, or remove it from identities",
                )
            yield from self._configuration_set(client, region)

    def _configuration_set(self, client: Any, region: str) -> Iterator[Reason]:
        name, existing = self.environment.configuration_set, self.environment.deployment.existing_configuration_set
        hint = "existing_configuration_set: true"
        found = _find("ses:GetConfigurationSet", lambda: client.get_configuration_set(ConfigurationSetName=name))
        if found is not None:
            yield from self._compare(f"the configuration set {name}", region, found.get("Tags", []), existing, hint)
        elif existing:
            yield f"the configuration set {name} does not exist in {region}", f"create it there, or remove {hint}"

    def table(self) -> Iterator[Reason]:
        name, existing = self.environment.table, self.environment.deployment.existing_table
        client, region, hint = (
            self.connection.session.client("dynamodb"),
            self.environment.region,
            "existing_table: true",
        )
        found = _find("dynamodb:DescribeTable", lambda: client.describe_table(TableName=name)["Table"])
        if found is not None:
            with aws_errors("dynamodb:ListTagsOfResource"):
                tags = client.list_tags_of_resource(ResourceArn=found["TableArn"]).get("Tags", [])
            yield from self._compare(f"the table {name}", region, tags, existing, hint)
            yield from _unsuitable(name, found)
        elif existing:
            yield f"the table {name} does not exist in {region}", f"create it, or remove {hint}"

    def _compare(self, what: str, region: str, tags: Any, existing: bool, hint: str) -> Iterator[Reason]:
        """`existing`: declared as such. Terraform deletes what it created once it is declared as existing."""
        if self._is_ours(tags) and existing:
            yield (
                f"{what} in {region} was created by this environment, and is declared as existing: it would be deleted",
                f"remove {hint}; to hand it over, see docs/deploy.md",
            )
        elif not existing and not self._is_ours(tags):
            reason = f"{what} exists already in {region}, and this environment did not create it"
            yield reason, f"to use it as it is, set {hint}; else choose another name"

    def principals(self) -> Iterator[Reason]:
        """A key policy with a principal that does not exist is refused by KMS, minutes after the first resources."""
        client = self.connection.session.client("iam")
        for arn in self.environment.deployment.credential_readers:
            kind, _, name = arn.split(":")[5].partition("/")
            name = name.rpartition("/")[2]
            if kind == "role":
                found = _find("iam:GetRole", lambda: client.get_role(RoleName=name)["Role"])  # noqa: B023 - called at once
            else:
                found = _find("iam:GetUser", lambda: client.get_user(UserName=name)["User"])  # noqa: B023
            if found is None:
                yield f"credential_readers: {arn} does not exist", f"create the {kind}, or remove it"
            elif found["Arn"] != arn:
                yield f"credential_readers: {arn} does not exist; there is {found['Arn']}", "correct its path"
        yield from self._named_provider(client)
        boundary = self.environment.deployment.role_permissions_boundary
        if not boundary or account_of(boundary) == "aws":
            return
        if _find("iam:GetPolicy", lambda: client.get_policy(PolicyArn=boundary)) is None:
            yield f"role_permissions_boundary: {boundary} does not exist", "correct it, or remove it"

    def _named_provider(self, client: Any) -> Iterator[Reason]:
        arn = self.environment.deployment.oidc_provider_arn
        if not arn:
            return
        call = partial(client.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
        found = _find("iam:GetOpenIDConnectProvider", call)
        if found is None:
            yield f"oidc_provider_arn: {arn} does not exist", "remove it: the provider is found or created"
        elif self._is_ours(found.get("Tags", [])):
            reason = f"oidc_provider_arn: {arn} was created by this environment, and would be deleted"
            yield reason, "remove oidc_provider_arn; to hand it over, see docs/deploy.md"

    def concurrency(self) -> Iterator[Reason]:
        wanted = sum(self.environment.deployment.reserved_concurrency.values())
        if not wanted:
            return
        client = self.connection.session.client("lambda")
        with aws_errors("lambda:GetAccountSettings"):
            limits = client.get_account_settings()["AccountLimit"]
        least = UNRESERVED if limits["ConcurrentExecutions"] > UNRESERVED else UNRESERVED_OF_NEW_ACCOUNTS
        most = limits["UnreservedConcurrentExecutions"] + self._reserved(client) - least
        if wanted > most:
            reason = f"reserved_concurrency reserves {wanted}, and the account can reserve at most {max(most, 0)} more"
            yield reason, "reserve less, or request a higher limit of concurrent executions from AWS"

    def _reserved(self, client: Any) -> int:
        """What an earlier apply reserved for the functions of this environment."""
        total = 0
        for function in load_pipeline(self.environment.name).functions.values():
            call = partial(client.get_function_concurrency, FunctionName=function.name)
            found = _find("lambda:GetFunctionConcurrency", call) or {}
            total += found.get("ReservedConcurrentExecutions", 0)
        return total

    def oidc_provider(self) -> str:
        if self.environment.deployment.oidc_provider_arn or not self.environment.deployment.github_subject_prefix:
            return ""
        client = self.connection.session.client("iam")
        with aws_errors("iam:ListOpenIDConnectProviders"):
            listed = client.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        arn = next((found["Arn"] for found in listed if found["Arn"].endswith(f"/{ISSUER}")), "")
        if not arn:
            return ""
        with aws_errors("iam:GetOpenIDConnectProvider"):
            tags = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn).get("Tags", [])
        return "" if self._is_ours(tags) else arn

    def _is_ours(self, tags: Any) -> bool:
        """The default tags of the provider in terraform/environments/ENV."""
        found = {tag["Key"]: tag["Value"] for tag in tags}
        return (found.get("project"), found.get("environment")) == ("ses-smtp-users", self.environment.name)


def _unsuitable(name: str, table: dict[str, Any]) -> Iterator[Reason]:
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in table["AttributeDefinitions"]}
    if keys != {"HASH": "PK", "RANGE": "SK"} or {types.get("PK"), types.get("SK")} != {"S"}:
        yield f"the key of the table {name} is not PK and SK, both strings", "use another table"
    stream = table.get("StreamSpecification", {})
    update = f"aws dynamodb update-table --table-name {name} --stream-specification"
    enable = f"{update} StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
    if not stream.get("StreamEnabled"):
        yield f"the table {name} has no stream", f"enable it: {enable}"
    elif stream.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        reason = f"the stream of the table {name} is {stream.get('StreamViewType')}; NEW_AND_OLD_IMAGES is required"
        yield reason, f"a stream cannot be changed: {update} StreamEnabled=false, move its consumers, then {enable}"


def _find(operation: str, call: Any) -> Any:
    """None if AWS says that it does not exist."""
    try:
        with aws_errors(operation):
            return call()
    except AwsError as error:
        if error.code in ABSENT:
            return None
        raise


def _pages(call: Any, key: str) -> Iterator[Any]:
    """sesv2 has no paginators for lists of identities."""
    token: dict[str, str] = {}
    while True:
        page = call(PageSize=1000, **token)
        yield from page[key]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
