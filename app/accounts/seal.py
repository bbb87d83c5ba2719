"""What stands in the vault: sealed with AES-256-GCM, by keys that HKDF makes of tokens (decision 5)."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
_SALT = b"glm-api sealed refresh token v1"


def derive(original: str) -> tuple[str, bytes]:
    """Row name (64 hex digits) and key (32 bytes)."""
    output = HKDF(algorithm=SHA256(), length=64, salt=_SALT, info=b"row name and key").derive(
        original.encode()
    )
    return output[:32].hex(), output[32:]


def seal(token: str, key: bytes, place: str) -> bytes:
    """Opens with the same key at the same `place` alone."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, token.encode(), place.encode())


def unseal(sealed: bytes, key: bytes, place: str) -> str | None:
    """None for what was sealed with another key, for another place, or not at all."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, ValueError):
        return None
