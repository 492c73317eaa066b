"""Encryption of credentials with KMS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reconciler.aws.client import aws_errors
from reconciler.core.smtp import are_credentials
from reconciler.errors import Terminal
from reconciler.ports import Credentials

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient


class KmsVault:
    """The encryption context binds a ciphertext to its record, and identifies the user in CloudTrail.

    KMS encrypts up to 4,096 bytes directly, enough for the passwords of about fifty regions:
    https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
    """

    def __init__(self, client: KMSClient, key: str, environment: str) -> None:
        """`key`: id, ARN or alias. Decrypt passes it too, so a ciphertext of another key is refused."""
        self._client = client
        self._key = key
        self._environment = environment

    def encrypt(self, name: str, credentials: Credentials) -> bytes:
        plaintext = json.dumps({"username": credentials.username, "passwords": dict(credentials.passwords)})
        with aws_errors("kms:Encrypt"):
            return self._client.encrypt(
                KeyId=self._key,
                Plaintext=plaintext.encode(),
                EncryptionContext=self._context(name, credentials.username),
            )["CiphertextBlob"]

    def decrypt(self, name: str, username: str, ciphertext: bytes) -> Credentials:
        with aws_errors("kms:Decrypt"):
            plaintext = self._client.decrypt(
                KeyId=self._key,
                CiphertextBlob=ciphertext,
                EncryptionContext=self._context(name, username),
            )["Plaintext"]
        if credentials := _parse(plaintext, username):
            return credentials
        message = "what the record stores are not the credentials that the credential manager wrote"
        raise Terminal("kms:Decrypt", "InvalidContent", message, "raise `credential` in the manifest to replace them")

    def _context(self, name: str, username: str) -> dict[str, str]:
        return {"environment": self._environment, "user": name, "access_key_id": username}


def _parse(plaintext: bytes, username: str) -> Credentials | None:
    """None for any other text. Raises nothing, because an exception would repeat the text, and it may be the secret."""
    try:
        stored = json.loads(plaintext)
    except (ValueError, RecursionError):
        return None
    if not isinstance(stored, dict) or stored.get("username") != username:
        return None
    passwords: Any = stored.get("passwords")
    return Credentials(username, passwords) if are_credentials(username, passwords) else None
