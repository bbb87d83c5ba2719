"""Rotated refresh tokens at rest, sealed so that the file alone opens nothing (docs/decisions/0005).

Row name and key are two HKDF outputs of the caller's own token: whoever does not hold that token can neither
find its row nor read it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.state import State

_NONCE_BYTES = 12
_SALT = b"glm-api sealed refresh token v1"


class Vault:
    """original refresh token -> the newest one the upstream gave for it. Thread-safe."""

    def __init__(self, state: State, clock: Callable[[], float] = time.time) -> None:
        self._state = state
        self._clock = clock

    def put(self, original: str, newest: str, expires: float) -> None:
        """Keep `newest` until it expires (Unix time)."""
        name, key = _derive(original)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + AESGCM(key).encrypt(nonce, newest.encode(), name.encode())
        self._state.run(
            "INSERT INTO sealed_token (name, sealed, expires) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, expires = excluded.expires",
            name,
            sealed,
            expires,
        )

    def get(self, original: str) -> str | None:
        """The newest token for `original`; None where there is none that can be opened."""
        self._state.run("DELETE FROM sealed_token WHERE expires <= ?", self._clock())
        name, key = _derive(original)
        rows = self._state.run("SELECT sealed FROM sealed_token WHERE name = ?", name)
        if not rows:
            return None
        sealed: bytes = rows[0][0]
        try:
            opened = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            return None
        return opened.decode()

    def drop(self, original: str) -> None:
        name, _ = _derive(original)
        self._state.run("DELETE FROM sealed_token WHERE name = ?", name)


def _derive(original: str) -> tuple[str, bytes]:
    """Row name (64 hex digits) and key (32 bytes)."""
    output = HKDF(algorithm=SHA256(), length=64, salt=_SALT, info=b"row name and key").derive(
        original.encode()
    )
    return output[:32].hex(), output[32:]
