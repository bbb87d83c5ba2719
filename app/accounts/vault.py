"""Rotated refresh tokens at rest, sealed so that the file alone opens nothing (docs/decisions/0005).

Row name and key are two HKDF outputs of the caller's own token: whoever does not hold that token can neither
find its row nor read it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.state import State

_NONCE_BYTES = 12
_SALT = b"glm-api sealed refresh token v1"
# What stands in the column `previous` cannot be put in place of the newest token, nor the other way round.
_PREVIOUS = ":previous"
# The upstream's clock decides when a token is over, and ours may be wrong.
_MARGIN_SECONDS = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class RotatedTokens:
    """The newest refresh token that the upstream gave for an original one, and the one it gave before."""

    newest: str = field(repr=False)
    previous: str | None = field(default=None, repr=False)


class Vault:
    """original refresh token -> those the upstream gave for it. Thread-safe.

    A row goes by the expiry of its tokens, with a wide margin, and never because the upstream refused them.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def put(self, original: str, tokens: RotatedTokens, expires: float) -> None:
        """Keep `tokens`, the last of which expires at this Unix time."""
        name, key = _derive(original)
        previous = None if tokens.previous is None else _seal(tokens.previous, key, name + _PREVIOUS)
        self._state.run(
            "INSERT INTO sealed_token (name, sealed, expires, previous) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE"
            " SET sealed = excluded.sealed, expires = excluded.expires, previous = excluded.previous",
            name,
            _seal(tokens.newest, key, name),
            expires,
            previous,
        )

    def get(self, original: str) -> RotatedTokens | None:
        """The tokens kept for `original`; None where there are none that can be opened."""
        name, key = _derive(original)
        rows = self._state.run("SELECT sealed, previous FROM sealed_token WHERE name = ?", name)
        for sealed, sealed_previous in rows:
            newest = _open(sealed, key, name)
            previous = _open(sealed_previous, key, name + _PREVIOUS) if sealed_previous is not None else None
            if newest is not None:
                return RotatedTokens(newest, previous)
        return None

    def forget_expired(self, now: float) -> None:
        """Remove the tokens that have been over for long. `now` must be sure: a wrong one loses accounts."""
        self._state.run("DELETE FROM sealed_token WHERE expires < ?", now - _MARGIN_SECONDS)


def _derive(original: str) -> tuple[str, bytes]:
    """Row name (64 hex digits) and key (32 bytes)."""
    output = HKDF(algorithm=SHA256(), length=64, salt=_SALT, info=b"row name and key").derive(
        original.encode()
    )
    return output[:32].hex(), output[32:]


def _seal(token: str, key: bytes, place: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, token.encode(), place.encode())


def _open(sealed: bytes, key: bytes, place: str) -> str | None:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, ValueError):
        return None
