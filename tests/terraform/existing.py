"""An account that already has what an environment needs, and an organisation with rules for roles and tags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from boto3.session import Session

ACCOUNT, TABLE = "000000000000", "smtp-users-sandbox"
OTHER_ACCOUNT_READER = "arn:aws:iam::111122223333:role/mail"
READER = f"arn:aws:iam::{ACCOUNT}:role/people/mail-administrators"
OIDC_PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
TRUST = {"Version": "2012-10-17", "Statement": []}
SETTINGS = {
    "existing_table": True,
    "existing_configuration_set": True,
    "identities": {"example.com": "existing"},
    "oidc_provider_arn": OIDC_PROVIDER,
    "credential_readers": [READER],
    "external_credential_readers": [OTHER_ACCOUNT_READER],
    "role_path": "/platform/",
    "role_permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/organisation",
    "iam_user_tags": {"cost-center": "4711"},
    "tags": {"team": "mail"},
}


def configure(root: Path, **changes: Any) -> None:
    """Change settings of environment `sandbox` in the copy of the project."""
    path = root / "reconcile.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["environments"]["sandbox"].update(changes)
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")


def prepare(session: Session) -> None:
    """Create what exists already: somebody else uses all of it."""
    ses, iam = session.client("sesv2"), session.client("iam")
    ses.create_configuration_set(ConfigurationSetName="smtp-sandbox")
    ses.create_email_identity(EmailIdentity="example.com")  # the local AWS keeps no default configuration set
    iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.create_policy(PolicyName="organisation", PolicyDocument=json.dumps(policy))
    iam.create_role(RoleName="mail-administrators", Path="/people/", AssumeRolePolicyDocument=json.dumps(TRUST))
    create_table(session, "NEW_AND_OLD_IMAGES")


def create_table(session: Session, view_type: Any) -> None:
    """A table with a customer-managed key, and an item that is not ours."""
    dynamodb, kms = session.client("dynamodb"), session.client("kms")
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view_type},
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": kms.create_key()["KeyMetadata"]["Arn"]},
    )
    dynamodb.put_item(TableName=TABLE, Item={"PK": {"S": "ORDER"}, "SK": {"S": "1"}})


def inventory(session: Session) -> dict[str, Any]:
    """What exists in the account, with its settings."""
    ses, iam = session.client("sesv2"), session.client("iam")
    dynamodb, functions = session.client("dynamodb"), session.client("lambda")
    identities = [found["IdentityName"] for found in ses.list_email_identities()["EmailIdentities"]]
    sets = ses.list_configuration_sets()["ConfigurationSets"]
    table = dynamodb.describe_table(TableName=TABLE)["Table"]
    return {
        "identities": {name: ses.get_email_identity(EmailIdentity=name)["DkimAttributes"] for name in identities},
        "sets": {name: ses.get_configuration_set(ConfigurationSetName=name)["SendingOptions"] for name in sets},
        "providers": [found["Arn"] for found in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]],
        "roles": sorted(role["Arn"] for role in iam.list_roles()["Roles"]),
        "policies": sorted(policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]),
        "functions": [function["FunctionName"] for function in functions.list_functions()["Functions"]],
        "tables": dynamodb.list_tables()["TableNames"],
        "stream": (table["LatestStreamArn"], table["StreamSpecification"]),
        "orders": dynamodb.get_item(TableName=TABLE, Key={"PK": {"S": "ORDER"}, "SK": {"S": "1"}})["Item"],
    }
