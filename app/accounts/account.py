"""One upstream identity: its tokens, whether it is answering, and how it feels."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from typing import Literal

from app.errors import GatewayError, Outcome
from app.token import AccessToken

State = Literal["ready", "answering", "cooling", "expired"]

# Pauses grow with every failure in a row: seconds after the first, and the most.
_COOL_DOWN_SECONDS = {Outcome.REJECTED: (60.0, 3600.0), Outcome.RATE_LIMITED: (30.0, 3600.0)}
_JITTER = 0.2


@dataclass(eq=False, slots=True)
class Account:
    """Mutable state of one account; the pool's lock guards everything below `key`."""

    refresh_token: str = field(repr=False)
    key: str
    """Digest of the refresh token: names the account without giving anything away."""

    access_token: AccessToken | None = field(default=None, repr=False)
    is_leased: bool = False
    last_used: float = 0.0
    cooling_until: float = 0.0
    cooling_error: GatewayError | None = field(default=None, repr=False)
    failures: int = 0

    @property
    def label(self) -> str:
        """Short name for people and logs."""
        return self.key[:8]

    def state(self, now: float) -> State:
        if self.is_leased:
            return "answering"
        if now < self.cooling_until:
            return (
                "expired"
                if self.cooling_error is not None and self.cooling_error.status == 401
                else "cooling"
            )
        return "ready"

    def is_ready(self, now: float) -> bool:
        return not self.is_leased and now >= self.cooling_until

    def record(self, outcome: Outcome, error: GatewayError | None, now: float) -> None:
        """Learn from how a reply ended. Only what is the account's own doing cools it down."""
        if outcome is Outcome.OK:
            self.failures = 0
        if outcome in _COOL_DOWN_SECONDS:
            first, most = _COOL_DOWN_SECONDS[outcome]
            asked = error.retry_after_seconds if error is not None else None
            pause = min((asked or first) * 2.0**self.failures, most)
            self.failures = min(self.failures + 1, 16)
            self.cooling_error = error
            # Accounts that failed together shall not come back together.
            self.cooling_until = now + pause * random.uniform(1.0, 1.0 + _JITTER)  # noqa: S311


def account_key(refresh_token: str) -> str:
    """Digest that names an account; a JWT's entropy keeps it from being guessed back."""
    return hashlib.sha256(b"glm-api account:" + refresh_token.encode()).hexdigest()
