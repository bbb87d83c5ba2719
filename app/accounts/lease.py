"""The right to use one account until it is released."""

from __future__ import annotations

from collections.abc import Callable

from app.accounts.account import Account
from app.errors import GatewayError, Outcome

Release = Callable[[Account, Outcome, GatewayError | None], None]


class Lease:
    """Held by one reply. Whoever acquired it releases it, on every path."""

    __slots__ = ("_release", "account")

    def __init__(self, account: Account, release: Release) -> None:
        self.account = account
        self._release: Release | None = release

    def __repr__(self) -> str:
        return f"<Lease {self.account.label} {'held' if self._release else 'released'}>"

    def release(self, outcome: Outcome, error: GatewayError | None = None) -> None:
        """Idempotent: the first outcome counts."""
        release, self._release = self._release, None
        if release is not None:
            release(self.account, outcome, error)
