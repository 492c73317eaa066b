"""What a ciphertext may contain: only what the credential manager stores. Whoever may encrypt may store anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.aws.kms import _parse
from reconciler.core.smtp import smtp_password
from reconciler.errors import Terminal
from reconciler.ports import Credentials
from support.world import World

KEY = "AKIAIOSFODNN7EXAMPLE"
PASSWORD = smtp_password("secret", "eu-central-1")
GOOD = {"eu-central-1": PASSWORD, "us-gov-west-1": PASSWORD}


def seal(world: World, plaintext: bytes) -> bytes:
    """A ciphertext for the record of `crm`, with any content."""
    context = {"environment": "test", "user": "crm", "access_key_id": KEY}
    answer = world.kms.encrypt(KeyId=world.vault._key, Plaintext=plaintext, EncryptionContext=context)
    return bytes(answer["CiphertextBlob"])


def test_what_was_encrypted_is_decrypted(world: World) -> None:
    ciphertext = world.vault.encrypt("crm", Credentials(KEY, GOOD))
    assert world.vault.decrypt("crm", KEY, ciphertext) == Credentials(KEY, GOOD)


BAD: list[Any] = [
    {"username": KEY, "passwords": {"eu-central-1": "\x1b[2J" + PASSWORD[4:]}},
    {"username": KEY, "passwords": {"eu-central-1": PASSWORD + "\n"}},
    {"username": KEY, "passwords": {"eu-central-1": PASSWORD[:-1]}},
    {"username": KEY, "passwords": {"eu-central-1": f"##[debug]{PASSWORD[9:]}"}},
    {"username": KEY, "passwords": {"eu-central-1": 7}},
    {"username": KEY, "passwords": {"eu-central-1": None}},
    {"username": KEY, "passwords": {"evil.example.com/": PASSWORD}},
    {"username": KEY, "passwords": {"": PASSWORD}},
    {"username": KEY, "passwords": [PASSWORD]},
    {"username": KEY},
    {"username": "AKIAI44QH8DHBEXAMPLE", "passwords": GOOD},
    {"username": f"{KEY}\n", "passwords": GOOD},
    {"username": [KEY], "passwords": GOOD},
    {"passwords": GOOD},
    [KEY, PASSWORD],
    "text",
    None,
]


@pytest.mark.parametrize("stored", BAD, ids=lambda stored: json.dumps(stored)[:60])
def test_anything_else_is_refused_and_not_repeated(world: World, stored: Any) -> None:
    with pytest.raises(Terminal) as refused:
        world.vault.decrypt("crm", KEY, seal(world, json.dumps(stored).encode()))
    assert "are not the credentials that the credential manager wrote" in refused.value.message
    assert PASSWORD[4:-1] not in f"{refused.value.message} {refused.value.hint}"
    assert refused.value.__context__ is None


@pytest.mark.parametrize("plaintext", [b"\xff", b"{", b"[" * 4000, b"NaN"])
def test_what_is_no_json_is_refused(world: World, plaintext: bytes) -> None:
    with pytest.raises(Terminal):
        world.vault.decrypt("crm", KEY, seal(world, plaintext))


@pytest.mark.parametrize("username", ["\n", "AKIA", "A" * 129, "::error::aaaaaaaaaaaa"])
def test_a_user_name_that_is_no_access_key_id_is_refused(username: str) -> None:
    """Even if the record contains the same one."""
    assert _parse(json.dumps({"username": username, "passwords": GOOD}).encode(), username) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
STORED = {"username": st.just(KEY) | JSON, "passwords": JSON | st.dictionaries(st.text(), JSON)}


@given(st.fixed_dictionaries(STORED) | JSON)
def test_whatever_is_accepted_is_printable(stored: Any) -> None:
    found = _parse(json.dumps(stored).encode(), KEY)
    if found is not None:
        assert all(text.isprintable() for pair in found.passwords.items() for text in pair)
