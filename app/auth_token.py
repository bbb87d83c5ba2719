"""The upstream's tokens as values: read, never verified (only the upstream can) and never printed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

# For tokens without a claim. Peers cache for an hour; real tokens live 24 (protocol notes 1.1).
_DEFAULT_LIFE_SECONDS = 3600.0
MAX_TOKEN_CHARS = 8192
"""Real ones have 300 to 500."""
_DEVICE_ID = re.compile(r"[\w-]{1,64}", re.ASCII)

_T = TypeVar("_T")


@dataclass(slots=True)
class _Claims:
    exp: float | None = None
    device_id: str | None = None


@dataclass(slots=True)
class OwnerClaims:
    """What a JWT says of whose it is. A visitor's says so; chat.z.ai's has an e-mail address, no end.

    Protocol notes 0.2 row 2, 0.2 row 23.
    """

    type: object = None
    is_guest: object = None
    exp: object = None
    device_id: object = None
    id: object = None
    email: object = None

    @property
    def is_access(self) -> bool:
        """It is an access token, which is easily copied in a refresh token's place."""
        return self.type == "access"

    @property
    def is_foreign(self) -> bool:
        has_own = self.type is not None or self.exp is not None or self.device_id is not None
        return not has_own and self.id is not None and self.email is not None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A short-lived token; `expires_at` is Unix time in seconds, `device_id` 32 hex digits."""

    value: str = field(repr=False)
    expires_at: float
    device_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefreshedTokens:
    """What a refresh brought. `refresh_token` is the rotated one, None where the upstream gave none."""

    access_token: AccessToken
    refresh_token: str | None = field(default=None, repr=False)
    user_id: str | None = field(default=None, repr=False)
    is_guest: bool = False
    """Nobody has logged in: it is one that the site gives to every visitor (protocol notes 0.2 row 2)."""


def parse_access_token(value: str, *, now: float) -> AccessToken:
    """Read life and device from a JWT; a token that is no JWT gets careful defaults."""
    device_id = read_device_id(value) or hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()
    return AccessToken(value, read_expiry(value) or now + _DEFAULT_LIFE_SECONDS, device_id)


def read_device_id(value: str) -> str | None:
    """The device that a JWT names, None where it names none that a header can carry."""
    device_id = _read_claims(value).device_id
    return device_id if device_id is not None and _DEVICE_ID.fullmatch(device_id) else None


def is_sendable(value: str) -> bool:
    """Whether a token is what a header can carry: printable ASCII without blanks, and not endless."""
    return 0 < len(value) <= MAX_TOKEN_CHARS and value.isascii() and value.isprintable() and " " not in value


def read_expiry(value: str) -> float | None:
    """The Unix time at which a JWT ends, None where it does not say."""
    return _read_claims(value).exp


def read_owner_claims(value: str) -> OwnerClaims:
    """Of what is no JWT nothing."""
    return _decode_claims(value, OwnerClaims)


def _read_claims(value: str) -> _Claims:
    return _decode_claims(value, _Claims)


def _decode_claims(value: str, kind: type[_T]) -> _T:
    segments = value.split(".")
    if len(segments) != 3:
        return kind()
    payload = segments[1]
    decode, mistakes = _load_decoder()
    try:
        claims: _T = decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=kind)
    except mistakes:
        return kind()
    return claims


@cache
def _load_decoder() -> tuple[Callable[..., Any], tuple[type[Exception], ...]]:
    """And what it raises. Without a JWT the settings, which two processes read at each start, need none."""
    import msgspec  # noqa: PLC0415

    return msgspec.json.decode, (msgspec.MsgspecError, ValueError, RecursionError)
