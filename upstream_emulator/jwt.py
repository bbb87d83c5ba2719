"""JWT-shaped tokens (HS256), which only this emulator takes for its own. Claims: protocol notes 1.1."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

_KEY = b"the upstream emulator signs its own tokens with this, and nothing else"
_HEADER = {"alg": "HS256", "typ": "JWT"}


def mint(claims: dict[str, Any]) -> str:
    signed = f"{_encode(_dump(_HEADER))}.{_encode(_dump(claims))}"
    return f"{signed}.{_encode(_digest(signed))}"


def read(token: str) -> dict[str, Any] | None:
    """The claims, or None when the token was not minted here. Says nothing about `exp`."""
    signed, _, sign = token.rpartition(".")
    if not token.isascii() or not hmac.compare_digest(sign, _encode(_digest(signed))):
        return None
    try:
        claims = json.loads(_decode(signed.partition(".")[2]))
    except (ValueError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) else None


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _digest(signed: str) -> bytes:
    return hmac.new(_KEY, signed.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
