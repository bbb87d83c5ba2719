"""The right to use one account until it is released."""

from __future__ import annotations

from collections.abc import Callable

from app.accounts.account import Account, LoginSlot
from app.catalogue.account import LOGIN_ANSWERING
from app.core.errors import GatewayError, LoginAnswering, Outcome

Release = Callable[["Lease", Outcome, GatewayError | None], None]


class Lease:
    """Held by one reply. Whoever acquired it releases it, on every path."""

    __slots__ = ("_release", "_seat", "account")

    def __init__(self, account: Account, release: Release) -> None:
        self.account = account
        self._seat = account.login_slot
        self._release: Release | None = release

    def __repr__(self) -> str:
        return f"<Lease {self.account.label} {'held' if self._release else 'released'}>"

    @property
    def login_slot(self) -> LoginSlot:
        """The login_slot this lease holds."""
        return self._seat.moved_to or self._seat

    def confirm(self) -> None:
        """Call once the account's login is known: it may be answering already, through another token."""
        if self.login_slot is not self.account.login_slot:
            raise LoginAnswering(LOGIN_ANSWERING)

    def hand_over(self) -> Lease:
        """The same right for work that goes on when its request is interrupted; this one is released now."""
        release, self._release = self._release, None
        taker = Lease(self.account, release or (lambda *_: None))
        taker._seat = self._seat
        return taker

    def release(self, outcome: Outcome, error: GatewayError | None = None) -> None:
        """Idempotent: the first outcome counts."""
        release, self._release = self._release, None
        if release is not None:
            release(self, outcome, error)
