"""A model of KMS: a ciphertext reveals nothing and can be decrypted only with its key and encryption context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulation.faults import refusal

LIMIT = 4096


class Kms:
    def __init__(self, key: str) -> None:
        self._key = key
        self._sealed: dict[bytes, tuple[dict[str, str], bytes]] = {}

    def encrypt(self, *, KeyId: str, Plaintext: bytes, EncryptionContext: Mapping[str, str]) -> Any:
        if len(Plaintext) > LIMIT:
            raise refusal("ValidationException", "Encrypt", "plaintext of more than 4096 bytes")
        if KeyId != self._key:
            raise refusal("NotFoundException", "Encrypt")
        blob = f"sealed-{len(self._sealed) + 1}".encode()
        self._sealed[blob] = (dict(EncryptionContext), Plaintext)
        return {"CiphertextBlob": blob, "KeyId": KeyId}

    def decrypt(self, *, KeyId: str, CiphertextBlob: bytes, EncryptionContext: Mapping[str, str]) -> Any:
        context, plaintext = self._sealed.get(CiphertextBlob, (None, b""))
        if KeyId != self._key or context != dict(EncryptionContext):
            raise refusal("InvalidCiphertextException", "Decrypt")
        return {"Plaintext": plaintext, "KeyId": KeyId}
