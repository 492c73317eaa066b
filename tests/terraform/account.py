"""The account after all lifecycles: the permissions of each principal, and the calls that it made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from terraform.calls import Names, as_requests
from terraform.conftest import Deployed
from terraform.judging import ALLOW_ALL, Case, Document, Principal, Request
from terraform.lives import calls_of, live
from terraform.policies import HOLDERS, PIPELINE, managed_policy, principal

# The default key policy: the IAM policies of the account decide. It is the widest policy that another key could have.
DELEGATING = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "kms:*",
            "Resource": "*",
            "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
        }
    ],
}
WIDE = {"Version": "2012-10-17", "Statement": [{**ALLOW_ALL["Statement"][0], "Principal": "*"}]}  # type: ignore[index]


@dataclass(frozen=True)
class Account:
    """Principals and their requests, by the keys of `policies.HOLDERS`."""

    names: Names
    principals: Mapping[str, Principal]
    requests: Mapping[str, list[Request]]
    boundary: Document
    key_policy: Document

    def case(self, who: str, request: Request) -> Case:
        """KMS requests are evaluated together with the policy of their key."""
        policy = None
        if request.action.startswith("kms:"):
            policy = self.key_policy if request.resource == self.names.key else DELEGATING
        return Case(self.principals[who], request, policy)

    def widened(self, who: str, request: Request) -> Case:
        """The same case with everything allowed. A key policy that delegates nothing to IAM denies whatever IAM allows,
        so for KMS requests the key policy is widened."""
        return Case(self.principals[who].widened(), request, WIDE if request.action.startswith("kms:") else None)


def inspect(sandbox: Deployed) -> Account:
    live(sandbox)
    kms, dynamodb, settings = sandbox.client("kms"), sandbox.client("dynamodb"), sandbox.environment
    key = kms.describe_key(KeyId=PIPELINE.names["key_alias"])["KeyMetadata"]["Arn"]
    names = Names(
        account=settings.account_id,
        region=settings.region,
        stream=sandbox.mapping("manager")["EventSourceArn"],
        key=key,
        table_key=dynamodb.describe_table(TableName=settings.table)["Table"]["SSEDescription"]["KMSMasterKeyArn"],
        boundary=f"arn:aws:iam::{settings.account_id}:policy/{PIPELINE.names['boundary']}",
    )
    return Account(
        names,
        {who: principal(sandbox, who) for who in HOLDERS},
        {who: as_requests(calls_of(sandbox, who), names) for who in HOLDERS},
        managed_policy(sandbox, PIPELINE.names["boundary"]),
        json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]),
    )
