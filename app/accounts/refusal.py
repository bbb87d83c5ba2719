"""How many refused tokens one address may send: the upstream is asked about each that somebody makes up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from app.accounts.account import Account
from app.catalogue import credential
from app.core.errors import AccountExpired, GatewayError, KeyLimited
from app.limit import Windows

_MAX_REFUSED = 30
_MINUTE_SECONDS = 60.0


class RefusalLimit:
    """Thread-safe. Only the upstream's refusal of a token that it never accepted counts, against `peer`.

    Waiting, timeouts and accepted tokens do not. A peer that is None, behind a proxy that nobody named, is
    not counted, as everybody behind it would be one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._refused = Windows(_MAX_REFUSED, _MINUTE_SECONDS)

    def allow(self, accounts: Sequence[Account], peer: str | None) -> list[Account]:
        """Those that a request may ask the upstream for. Call once: who has begun may try the whole list.

        Raises KeyLimited where that is none, as too many were refused already.
        """
        wait = self._wait_seconds(peer)
        allowed = [account for account in accounts if wait <= 0 or account.was_accepted]
        if accounts and not allowed:
            raise KeyLimited(
                credential.REFUSED_TOKENS.fill(max_refused=_MAX_REFUSED),
                retry_after_seconds=wait,
            )
        return allowed

    def note(self, account: Account, peer: str | None, error: GatewayError) -> None:
        """The upstream was asked, and this is what came of it."""
        if peer is not None and isinstance(error, AccountExpired) and not account.was_accepted:
            with self._lock:
                self._refused.of(peer).add(self._clock())

    def _wait_seconds(self, peer: str | None) -> float:
        if peer is None:
            return 0.0
        now = self._clock()
        with self._lock:
            window = self._refused.find(peer)
            return window.free_at(now) - now if window is not None else 0.0
