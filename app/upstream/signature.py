"""Request signing of the 2025-2026 upstream (protocol notes 2.2)."""

from __future__ import annotations

import hashlib


def sign(*, now_seconds: float, nonce: str, secret: str) -> dict[str, str]:
    """The signing headers for a request at `now_seconds` (Unix time); `nonce` is 32 hex digits."""
    timestamp = stamp(int(now_seconds * 1000))
    digest = hashlib.md5(f"{timestamp}-{nonce}-{secret}".encode(), usedforsecurity=False).hexdigest()
    return {"X-Timestamp": timestamp, "X-Nonce": nonce, "X-Sign": digest}


def stamp(milliseconds: int) -> str:
    """`milliseconds` as decimal digits, the second-to-last one replaced by a check digit over all others."""
    digits = str(milliseconds)
    check = (sum(map(int, digits)) - int(digits[-2])) % 10
    return f"{digits[:-2]}{check}{digits[-1]}"
