"""What the upstream checks before it looks at a call: required headers and the request signature.

Protocol notes 2.2 (algorithm, secret) and 2.3 (which omission gives which code). Neither the method, the path
nor the body is signed, so a signature is only good once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

SECRET = "8a1317a7468aa3ad86e997d08f3f31cb"
DEVICE_HEADERS = ("x-device-id", "x-app-platform", "x-app-version")
SIGNATURE_HEADERS = ("x-timestamp", "x-nonce", "x-sign")
MAX_REMEMBERED_NONCES = 100_000
# A guess: the notes say that an old signature is refused, and not from when on it is old.
MAX_AGE_SECONDS = 300

DEVICE_MISSING = 40001
USER_AGENT_MISSING = 40002
SIGNATURE_MISSING = 40011
SIGNATURE_INVALID = 40014

_TIMESTAMP = re.compile(r"[0-9]{13}")
_NONCE = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_digit(digits: str) -> int:
    """What the second-to-last digit of a timestamp must be; that digit itself does not count."""
    return (sum(map(int, digits)) - int(digits[-2])) % 10


def apply_check_digit(raw: str) -> str:
    """Unix milliseconds as the header wants them."""
    return f"{raw[:-2]}{check_digit(raw)}{raw[-1]}"


def signature(timestamp: str, nonce: str) -> str:
    return hashlib.md5(f"{timestamp}-{nonce}-{SECRET}".encode("ascii"), usedforsecurity=False).hexdigest()


class SignatureGuard:
    """Checks calls one by one and remembers the nonces of the accepted ones (the last 100,000)."""

    def __init__(self) -> None:
        self._nonces: dict[str, None] = {}

    def refusal(self, headers: Mapping[str, str], now: float) -> int | None:
        """The code with which this call of `now` must be refused, or None. An accepted nonce is used up."""
        if any(name not in headers for name in DEVICE_HEADERS):
            return DEVICE_MISSING
        if not headers.get("user-agent"):
            return USER_AGENT_MISSING
        if any(not headers.get(name) for name in SIGNATURE_HEADERS):
            return SIGNATURE_MISSING
        timestamp, nonce, sign = (headers[name] for name in SIGNATURE_HEADERS)
        if not _is_valid(timestamp, nonce, sign) or not _is_of(now, timestamp) or nonce in self._nonces:
            return SIGNATURE_INVALID
        self._remember(nonce)
        return None

    def _remember(self, nonce: str) -> None:
        self._nonces[nonce] = None
        if len(self._nonces) > MAX_REMEMBERED_NONCES:
            del self._nonces[next(iter(self._nonces))]


def _is_valid(timestamp: str, nonce: str, sign: str) -> bool:
    if not _TIMESTAMP.fullmatch(timestamp) or not _NONCE.fullmatch(nonce):
        return False
    return int(timestamp[-2]) == check_digit(timestamp) and sign == signature(timestamp, nonce)


def _is_of(now: float, timestamp: str) -> bool:
    return abs(int(timestamp) / 1000 - now) <= MAX_AGE_SECONDS
