"""How many refused tokens one address may send: the upstream is asked about each that somebody makes up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.accounts.account import Account
from app.errors import AccountExpired, GatewayError, TokensLimited
from app.limit import Windows

_MOST_REFUSED = 30
_MINUTE_SECONDS = 60.0


class RefusalLimit:
    """Thread-safe. Only the upstream's refusal of a token that it never accepted counts, against `peer`.

    Waiting, timeouts and accepted tokens do not. A peer that is None, behind a proxy that nobody named, is
    not counted, as everybody behind it would be one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._refused = Windows(_MOST_REFUSED, _MINUTE_SECONDS)

    def check(self, account: Account, peer: str | None) -> None:
        """Call before the upstream is asked. Raises TokensLimited where it must not be asked now."""
        if peer is None or account.was_accepted:
            return
        now = self._clock()
        with self._lock:
            window = self._refused.find(peer)
            wait = window.free_at(now) - now if window is not None else 0.0
        if wait > 0:
            raise TokensLimited(
                f"The upstream has refused {_MOST_REFUSED} tokens from this address within a minute.",
                retry_after_seconds=wait,
            )

    def note(self, account: Account, peer: str | None, error: GatewayError) -> None:
        """The upstream was asked, and this is what came of it."""
        if peer is not None and isinstance(error, AccountExpired) and not account.was_accepted:
            with self._lock:
                self._refused.of(peer).add(self._clock())
