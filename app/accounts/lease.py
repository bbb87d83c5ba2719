"""The right to use one account until it is released."""

from __future__ import annotations

from collections.abc import Callable

from app.accounts.account import Account, Seat
from app.errors import GatewayError, LoginAnswering, Outcome

Release = Callable[["Lease", Outcome, GatewayError | None], None]


class Lease:
    """Held by one reply. Whoever acquired it releases it, on every path."""

    __slots__ = ("_release", "_seat", "account")

    def __init__(self, account: Account, release: Release) -> None:
        self.account = account
        self._seat = account.seat
        self._release: Release | None = release

    def __repr__(self) -> str:
        return f"<Lease {self.account.label} {'held' if self._release else 'released'}>"

    @property
    def seat(self) -> Seat:
        """The seat this lease holds."""
        return self._seat.moved_to or self._seat

    def confirm(self) -> None:
        """Call once the account's login is known: it may be answering already, through another token."""
        if self.seat is not self.account.seat:
            raise LoginAnswering("This login is already answering, through another of its tokens.")

    def release(self, outcome: Outcome, error: GatewayError | None = None) -> None:
        """Idempotent: the first outcome counts."""
        release, self._release = self._release, None
        if release is not None:
            release(self, outcome, error)
