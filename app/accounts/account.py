"""One upstream identity: its tokens, its login_slot, and how it feels."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakValueDictionary

import msgspec

from app.accounts.vault import RotatedTokens
from app.auth_token import AccessToken
from app.core.errors import GatewayError, Outcome
from app.limit import MovingWindow

State = Literal["ready", "answering", "cooling", "expired", "blocked", "unknown"]

# Pauses double with every failure in a row: seconds after the first one, and the longest.
_COOL_DOWN_SECONDS = {
    Outcome.REJECTED: (60.0, 3600.0),
    Outcome.BLOCKED: (60.0, 3600.0),
    Outcome.RATE_LIMITED: (30.0, 3600.0),
    Outcome.UNREACHABLE: (0.2, 15.0),
}
_JITTER = 0.2
_HOUR_SECONDS = 3600.0


class Pacing(msgspec.Struct, frozen=True):
    """How gently to use an account: seconds between two replies, replies an hour (None: no limit)."""

    min_interval_seconds: float = 0.0
    replies_per_hour: int | None = None


class LoginSlot:
    """The right to answer for one login, which several tokens may share. Guarded by the pool's lock."""

    __slots__ = ("__weakref__", "accounts", "is_leased", "last_used", "moved_to", "replies")

    def __init__(self, pacing: Pacing) -> None:
        self.accounts: WeakValueDictionary[str, Account] = WeakValueDictionary()
        """By key, the first known first."""
        self.is_leased = False
        self.last_used = 0.0
        self.moved_to: LoginSlot | None = None
        """Set when the login behind a leased login_slot turned out to have one already."""
        self.replies = (
            MovingWindow(pacing.replies_per_hour, _HOUR_SECONDS) if pacing.replies_per_hour else None
        )


@dataclass(eq=False, slots=True, weakref_slot=True)
class Account:
    """Mutable state of one account.

    The pool's lock guards `login_slot`, `owner`, `last_seen` and all from `since` on. It does not guard what
    a refresh brings (`rotated`, `refused_until`, `access_token`, `refresh_at`): the refresh that runs, one at
    a time for each owner, writes these without it, the last two without a wait in between (refresh.py).
    """

    refresh_token: str = field(repr=False)
    key: str
    """Digest of the refresh token: names the account without giving anything away."""

    login_slot: LoginSlot = field(repr=False)
    owner: str
    """Who owns its conversations: a digest of the login once that is known, of the refresh token before."""

    is_accepted: bool = False
    """The upstream took it once, or the operator configured it: it is kept beyond its requests."""

    rotated: RotatedTokens | None = field(default=None, repr=False)
    """What the upstream gave for the refresh token, once that was looked up; None where it gave nothing."""

    refused_until: dict[str, float] = field(default_factory=dict, repr=False)
    """Refresh tokens that the upstream has just refused, and the Unix time until which each is not asked."""

    access_token: AccessToken | None = field(default=None, repr=False)
    refresh_at: float = 0.0
    last_seen: float = 0.0
    since: float = 0.0
    replies: int = 0
    failures: int = 0
    cooling_until: float = 0.0
    cooling_outcome: Outcome | None = None
    last_error: str | None = None
    """The code of what it rests for. Not the error itself, which would keep its whole request in memory."""

    @property
    def label(self) -> str:
        """Short name for people and logs."""
        return self.key[:8]

    @property
    def was_accepted(self) -> bool:
        return self.is_accepted or self.access_token is not None

    def state(self, now: float) -> State:
        if self.login_slot.is_leased:
            return "answering"
        if now < self.cooling_until:
            names: dict[Outcome | None, State] = {Outcome.REJECTED: "expired", Outcome.BLOCKED: "blocked"}
            return names.get(self.cooling_outcome, "cooling")
        return "ready" if self.access_token is not None else "unknown"

    def describe(self, now: float, offset: float) -> dict[str, object]:
        """For people; `offset` turns this clock's seconds into Unix time."""
        cools = now < self.cooling_until
        return {
            "label": self.label,
            "state": self.state(now),
            "since": int(self.since + offset),
            "cooling_until": int(self.cooling_until + offset) if cools else None,
            "replies": self.replies,
            "last_error": self.last_error,
        }

    def ready_at(self, pacing: Pacing, now: float) -> float:
        """When the account may answer next, as far as its health and its pace go."""
        login_slot = self.login_slot
        paced = login_slot.last_used + pacing.min_interval_seconds if login_slot.last_used else now
        free = login_slot.replies.free_at(now) if login_slot.replies is not None else now
        return max(now, self.cooling_until, paced, free)

    def record(self, outcome: Outcome, error: GatewayError | None, now: float) -> None:
        """Learn from how a reply ended."""
        self.since = now
        if outcome is Outcome.OK:
            self.replies += 1
            self.failures = 0
            self.last_error = None
        if outcome in _COOL_DOWN_SECONDS:
            first, longest = _COOL_DOWN_SECONDS[outcome]
            asked = error.retry_after_seconds if error is not None else None
            pause = min((asked or first) * 2.0**self.failures, max(longest, asked or 0.0))
            self.failures = min(self.failures + 1, 16)
            self.cooling_outcome, self.last_error = outcome, error.code if error is not None else None
            # Accounts that failed together shall not come back together.
            self.cooling_until = now + pause * random.uniform(1.0, 1.0 + _JITTER)  # noqa: S311


def account_key(refresh_token: str) -> str:
    """Digest that names an account; a JWT's entropy keeps it from being guessed back."""
    return hashlib.sha256(b"glm-api account:" + refresh_token.encode()).hexdigest()


def login_key(user_id: str) -> str:
    """Digest that names the login behind an account."""
    return hashlib.sha256(b"glm-api login:" + user_id.encode()).hexdigest()
