"""Gateway keys: what a caller presents where the operator holds the tokens. Only digests are compared.

`python -m app.keys new LABEL` (__main__.py) prints a fresh key and the line that lets it in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from app.invocation import CALLED

KEY_PREFIX = "glm-"
_RANDOM_BYTES = 32
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """One entry of GATEWAY_API_KEYS. `digest` is the key's SHA-256; None means no limit."""

    digest: bytes
    label: str
    is_admin: bool = False
    parallel: int | None = None
    per_minute: int | None = None

    @property
    def id(self) -> str:
        """Names the caller in the ledger; the same after a restart or a new label."""
        return self.digest.hex()[:16]


def digest_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def find_key(keys: tuple[GatewayKey, ...], presented: str) -> GatewayKey | None:
    """The entry for a presented key. Looks at every entry, each in constant time."""
    digest = digest_key(presented)
    found = None
    for key in keys:
        if hmac.compare_digest(key.digest, digest):
            found = key
    return found


def parse_keys(text: str) -> tuple[GatewayKey, ...]:
    """`label=glm-..., ops=sha256:<hex>;admin;parallel=4;rpm=60`. Raises ValueError, never quoting a key."""
    keys = tuple(
        _parse_entry(entry.strip(), number)
        for number, entry in enumerate(text.split(","), 1)
        if entry.strip()
    )
    if len({key.digest for key in keys}) != len(keys):
        raise ValueError("a key stands there twice")
    return keys


def _parse_entry(entry: str, number: int) -> GatewayKey:
    named, *options = [part.strip() for part in entry.split(";")]
    label, _, value = named.rpartition("=")
    hashed = _DIGEST.fullmatch(value)
    if hashed is None and not value.startswith(KEY_PREFIX):
        raise ValueError(
            f"entry {number} is neither a key that begins with {KEY_PREFIX} nor sha256:<64 hex digits>; "
            f"make one with `{CALLED.key}`"
        )
    limits = _parse_options(options, number)
    return GatewayKey(
        digest=bytes.fromhex(hashed[1]) if hashed else digest_key(value),
        label=label.strip() or f"key-{number}",
        is_admin="admin" in options,
        parallel=limits.get("parallel"),
        per_minute=limits.get("rpm"),
    )


def _parse_options(options: list[str], number: int) -> dict[str, int]:
    limits = {}
    for option in options:
        name, _, amount = option.partition("=")
        if option == "admin":
            continue
        if name not in {"parallel", "rpm"} or not re.fullmatch(r"[1-9]\d{0,6}", amount):
            raise ValueError(
                f"entry {number} has an option other than admin, parallel=<number>, rpm=<number>"
            )
        limits[name] = int(amount)
    return limits


def generate_key() -> str:
    """A key with 256 random bits."""
    return KEY_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
