from __future__ import annotations

from reconciler.core.policy import build
from world import SENDING, World, a_user


def test_a_pending_row_becomes_a_confined_user_with_a_working_credential(world: World) -> None:
    user = a_user(allowed_source_ips=["203.0.113.0/24"])
    world.ask(user)
    report = world.converge()
    record = world.store.get(user.name)
    assert report.result == record.status == "active"
    assert world.users() == ["smtp-test-billing-mailer"]
    assert world.policy() == build(user, SENDING)
    assert world.keys() == {record.smtp_username: "Active"}
    assert (
        world.vault.decrypt(user.name, record.smtp_username, record.encrypted_credentials).username
        == record.smtp_username
    )
