"""The door: who calls, with which accounts, and how often. Knows nothing of HTTP frameworks."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from app.accounts.roster import Roster
from app.errors import CredentialsRejected, KeyLimited
from app.keys import GatewayKey, find_key
from app.limit import Windows
from app.logs import redactor

_MOST_ACCOUNTS = 200
_MOST_TOKEN_CHARS = 8192
_MOST_WRONG_KEYS = 10
_MINUTE_SECONDS = 60.0
_JWT = re.compile(r"[\w-]{2,}\.[\w-]{2,}\.[\w-]*")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `id` owns conversations beside the account; empty where the tokens are its own."""

    id: str
    queue: str
    refresh_tokens: tuple[str, ...] = field(repr=False)
    key: GatewayKey | None = field(default=None, repr=False)

    @property
    def may_see_accounts(self) -> bool:
        return self.key is None or self.key.is_admin


class Gate:
    """Thread-safe. Every admitted caller must `leave`."""

    def __init__(
        self,
        keys: tuple[GatewayKey, ...],
        roster: Roster,
        *,
        pass_through: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._roster = roster
        self._pass_through = pass_through
        self._clock = clock
        self._lock = threading.Lock()
        self._inside: Counter[str] = Counter()
        self._requests = {key.id: Windows(key.per_minute, _MINUTE_SECONDS) for key in keys if key.per_minute}
        self._wrong = Windows(_MOST_WRONG_KEYS, _MINUTE_SECONDS)

    @property
    def needs_key(self) -> bool:
        return bool(self._keys)

    def admit(self, header: str, peer: str) -> Caller:
        """The caller behind an Authorization header. Raises CredentialsRejected or KeyLimited."""
        value = _read_bearer(header)
        if not self._keys:
            return _admit_tokens(value)
        key = find_key(self._keys, value)
        if key is not None:
            redactor.keep(value)
            return self._admit_key(key)
        if self._pass_through and all(_JWT.fullmatch(token.strip()) for token in value.split(",")):
            return _admit_tokens(value)
        redactor.learn(value)
        raise self._refuse(peer)

    def leave(self, caller: Caller) -> None:
        if caller.key is not None:
            with self._lock:
                self._inside[caller.id] -= 1

    def _admit_key(self, key: GatewayKey) -> Caller:
        now = self._clock()
        with self._lock:
            if key.parallel is not None and self._inside[key.id] >= key.parallel:
                raise KeyLimited(
                    f"This key may have {key.parallel} requests at a time.", retry_after_seconds=1.0
                )
            if key.per_minute is not None:
                window = self._requests[key.id].of(key.id)
                if window.free_at(now) > now:
                    raise KeyLimited(
                        f"This key may ask {key.per_minute} times a minute.",
                        retry_after_seconds=window.free_at(now) - now,
                    )
                window.add(now)
            self._inside[key.id] += 1
        return Caller(key.id, key.id, self._roster.tokens(), key)

    def _refuse(self, peer: str) -> CredentialsRejected | KeyLimited:
        now = self._clock()
        with self._lock:
            window = self._wrong.of(peer)
            wait = window.free_at(now) - now
            if wait <= 0:
                window.add(now)
        if wait > 0:
            return KeyLimited("Too many wrong keys from this address.", retry_after_seconds=wait)
        return CredentialsRejected("This gateway key is not known. Ask the operator for one.")


def parse_refresh_tokens(text: str) -> tuple[str, ...]:
    """Refresh tokens joined with commas; blanks and repetitions are dropped. Raises CredentialsRejected."""
    tokens = tuple(dict.fromkeys(token for part in text.split(",") if (token := part.strip())))
    if len(tokens) > _MOST_ACCOUNTS:
        raise CredentialsRejected(f"Too many refresh tokens: at most {_MOST_ACCOUNTS} are allowed.")
    for token in tokens:
        redactor.learn(token)
        if len(token) > _MOST_TOKEN_CHARS or not token.isascii() or not token.isprintable() or " " in token:
            raise CredentialsRejected("A refresh token holds characters that no token has. Copy it again.")
    return tokens


def _read_bearer(header: str) -> str:
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() != "bearer" or not value.strip(" ,"):
        raise CredentialsRejected(
            "No credentials: send your refresh token as `Authorization: Bearer <refresh token>`, "
            "several joined with commas, or the gateway key you were given."
        )
    return value


def _admit_tokens(value: str) -> Caller:
    tokens = parse_refresh_tokens(value)
    queue = hashlib.sha256(",".join(sorted(tokens)).encode()).hexdigest()
    return Caller("", queue, tokens)
