from __future__ import annotations

import boto3
import pytest

from reconciler.core.ownership import iam_path, ownership_tags
from reconciler.core.policy import build, grant_hash
from reconciler.core.provenance import TAGS
from support.world import ENV, IAM_USER_TAGS, REGION, SENDING, World, a_user

NAME = "billing-mailer"


def test_a_pending_record_becomes_a_confined_user_with_a_working_credential(world: World) -> None:
    """I1, I3."""
    user = a_user(allowed_source_ips=["203.0.113.0/24"])
    world.ask(user)
    report = world.converge()
    record = world.store.get(NAME)
    assert record
    assert report.result == record.status == "active"
    assert world.users() == ["smtp-test-billing-mailer"]
    assert world.policy() == build(user, SENDING)
    assert world.access_keys() == {record.smtp_username: "Active"}
    assert record.encrypted_credentials
    credentials = world.vault.decrypt(NAME, record.smtp_username, record.encrypted_credentials)
    assert credentials.username == record.smtp_username
    assert set(credentials.passwords) == {REGION}
    assert (record.observed_revision, record.observed_hash) == (record.revision, grant_hash(user, SENDING))


def test_the_iam_user_carries_our_tag_our_path_and_the_boundary(world: World) -> None:
    """I1, I7."""
    world.ask(a_user())
    world.converge()
    user = world.iam.get_user(UserName="smtp-test-billing-mailer")["User"]
    assert user["Path"] == iam_path(ENV)
    origin = {key: value for key, value in world.tags().items() if key in TAGS.values()}
    assert world.tags() == IAM_USER_TAGS | ownership_tags(ENV, NAME) | origin
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/smtp-boundary-test")


@pytest.mark.parametrize("addresses", [["crm@example.com"], {"crm@example.com", "*@news.example.com"}])
def test_a_record_created_manually_with_four_attributes_works(world: World, addresses: list[str] | set[str]) -> None:
    world.put_row("crm", status="pending", allowed_from_addresses=addresses)
    assert world.converge("crm").result == "active"
    row = world.row("crm")
    assert row
    assert row["status"] == "active"
    assert row["observed_revision"] == 0
    assert world.access_keys("crm") == {row["smtp_username"]: "Active"}
    assert world.converge("crm").result == "unchanged"


@pytest.mark.parametrize("empty", ["revision", "correlation_id", "smtp_username", "expires", "revoked"])
def test_an_attribute_created_manually_may_be_null(world: World, empty: str) -> None:
    """I8: DynamoDB distinguishes NULL from absent; a record created manually may not."""
    attributes = {"status": "pending", "allowed_from_addresses": ["crm@example.com"], empty: None}
    world.put_row("crm", **attributes)
    assert world.converge("crm").result == "active"
    world.put_row("wiki", **attributes, enabled="yes")
    assert world.converge("wiki").result == "failed"
    world.put_row("shop", **{**attributes, "status": "deleting"})
    assert world.converge("shop").result == "removed"


@pytest.mark.parametrize(
    ("name", "attributes", "reason"),
    [
        ("crm", {"allowed_from_addresses": ["crm@evil.example.net"]}, "evil.example.net is not allowed"),
        ("crm", {"allowed_from_addresses": ["*crm@example.com"]}, "invalid position"),
        ("crm", {"allowed_from_addresses": "crm@example.com"}, "list or a set"),
        ("crm", {"allowed_from_addresses": []}, "missing or empty"),
        ("crm", {}, "missing or empty"),
        ("crm", {"allowed_from_addresses": ["crm@example.com"], "enabled": "yes"}, "true or false"),
        ("crm", {"allowed_from_addresses": ["crm@example.com"], "expires": "soon"}, "not a date"),
        ("CRM", {"allowed_from_addresses": ["crm@example.com"]}, "name 'CRM' is not allowed"),
        ("a/../b", {"allowed_from_addresses": ["crm@example.com"]}, "is not allowed"),
    ],
)
def test_a_record_that_breaks_the_rules_fails_with_a_reason_and_makes_nothing(
    world: World, name: str, attributes: dict[str, object], reason: str
) -> None:
    """I8: the record ends as failed, so the stream continues."""
    world.put_row(name, status="pending", **attributes)
    assert world.converge(name).result == "failed"
    row = world.row(name)
    assert row
    assert row["status"] == "failed"
    assert row["failure"]["code"] == "InvalidRecord"
    assert reason in row["failure"]["message"]
    assert world.users() == []


def test_a_grant_that_is_too_large_for_iam_fails_with_advice(world: World) -> None:
    world.put_row("crm", status="pending", allowed_from_addresses=[f"address-{n:03}@example.com" for n in range(90)])
    world.converge("crm")
    row = world.row("crm")
    assert row
    assert row["failure"]["code"] == "PolicyTooLarge"
    assert "split" in row["failure"]["message"]
    assert world.users() == []


def test_an_unmanaged_iam_user_of_the_same_name_is_never_touched(world: World) -> None:
    """I7."""
    world.iam.create_user(UserName="smtp-test-billing-mailer", Path="/people/")
    world.iam.create_access_key(UserName="smtp-test-billing-mailer")
    before = world.access_keys()
    world.ask(a_user())
    assert world.converge().result == "failed"
    world.ask_delete()
    assert world.converge().result == "removed"
    assert world.access_keys() == before
    assert world.iam.list_user_policies(UserName="smtp-test-billing-mailer")["PolicyNames"] == []


def test_a_record_that_claims_a_key_of_an_unmanaged_user_proves_nothing(world: World) -> None:
    """I7: only the tag on the IAM user shows whether it is managed."""
    world.iam.create_user(UserName="smtp-test-crm", Path="/people/")
    key = world.iam.create_access_key(UserName="smtp-test-crm")["AccessKey"]["AccessKeyId"]
    claim = {"allowed_from_addresses": ["crm@example.com"], "smtp_username": key, "encrypted_credentials": b"x"}
    world.put_row("crm", status="pending", **claim)
    assert world.converge("crm").result == "failed"
    world.put_row("crm", status="deleting", **claim)
    assert world.converge("crm").result == "removed"
    assert world.access_keys("crm") == {key: "Active"}
    assert world.iam.list_user_policies(UserName="smtp-test-crm")["PolicyNames"] == []


def test_a_user_whose_mark_was_taken_off_is_left_alone(world: World) -> None:
    """I7."""
    world.ask(a_user())
    world.converge()
    world.iam.untag_user(UserName="smtp-test-billing-mailer", TagKeys=["managed-by"])
    before = world.policy()
    world.ask(a_user(NAME, "other@example.com"))
    assert world.converge().result == "failed"
    assert world.policy() == before


def test_the_record_is_never_trusted_for_a_name(world: World) -> None:
    """I7: names in a record are ignored; the user is found under its deterministic name."""
    world.iam.create_user(UserName="administrator")
    world.put_row(
        "crm",
        status="pending",
        allowed_from_addresses=["crm@example.com"],
        iam_user_name="administrator",
        iam_user_arn="arn:aws:iam::123456789012:user/administrator",
    )
    world.converge("crm")
    world.remove_row("crm")
    world.converge("crm")
    assert world.users() == ["administrator"]


def test_a_credential_fits_its_own_record_only(world: World) -> None:
    """The encryption context binds it to environment, user and key."""
    world.ask(a_user())
    world.converge()
    record = world.store.get(NAME)
    assert record
    assert record.encrypted_credentials
    context = {"environment": ENV, "user": NAME, "access_key_id": record.smtp_username}
    blob = record.encrypted_credentials
    assert boto3.client("kms").decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"]
    with pytest.raises(boto3.client("kms").exceptions.InvalidCiphertextException):
        boto3.client("kms").decrypt(CiphertextBlob=blob, EncryptionContext={**context, "user": "crm"})
