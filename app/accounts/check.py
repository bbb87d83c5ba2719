"""Is a refresh token alive? Answered from what is known, so that asking often hurts nobody."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from app.accounts.account import Account
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.accounts.refusal import RefusalLimit
from app.core.errors import AccountExpired, GatewayError, Outcome

_KNOWN_SECONDS = 600.0
_FRESH_SECONDS = 60.0
_MAX_RESULTS = 10_000


class Check(msgspec.Struct, frozen=True):
    """`reason` is None for a live token."""

    label: str
    live: bool
    reason: str | None
    at: float


class TokenChecker:
    """Thread-safe. Remembers its answers for ten minutes; even a fresh one is not asked twice a minute.

    Of a token that the upstream never accepted nothing is remembered.
    """

    def __init__(
        self,
        pool: AccountPool,
        refresher: Refresher,
        clock: Callable[[], float] = time.monotonic,
        refusals: RefusalLimit | None = None,
    ) -> None:
        self._pool = pool
        self._refresher = refresher
        self._refusals = refusals or RefusalLimit()
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Check] = OrderedDict()

    def check(self, refresh_tokens: tuple[str, ...], *, fresh: bool, peer: str | None = None) -> list[Check]:
        """One answer a token, in order. Raises what keeps the upstream from saying: that is no dead token.

        And KeyLimited, before the upstream is asked, where it has refused too many of `peer` already.
        """
        accounts = self._pool.get_or_add(refresh_tokens)
        for account in accounts:
            self._refusals.allow([account], peer)
        try:
            return [self._check(account, peer, fresh=fresh) for account in accounts]
        finally:
            self._pool.remember(accounts)

    def _check(self, account: Account, peer: str | None, *, fresh: bool) -> Check:
        known = self._known.get(account.key)
        if known is not None and self._clock() - known.at < (_FRESH_SECONDS if fresh else _KNOWN_SECONDS):
            return known
        try:
            if fresh:
                self._refresher.renew(account)
            else:
                self._refresher.access_token(account)
            check = Check(account.label, live=True, reason=None, at=self._clock())
        except AccountExpired as error:
            self._refusals.note(account, peer, error)
            check = Check(account.label, live=False, reason="expired", at=self._clock())
            self._pool.cool(account, error.outcome, error)
        except GatewayError as error:
            if error.outcome in (Outcome.RATE_LIMITED, Outcome.BLOCKED):  # whoever asks next finds the same
                self._pool.cool(account, error.outcome, error)
            raise
        if account.was_accepted:
            self._remember(account.key, check)
        return check

    def _remember(self, key: str, check: Check) -> None:
        with self._lock:
            self._known[key] = check
            self._known.move_to_end(key)
            if len(self._known) > _MAX_RESULTS:
                self._known.popitem(last=False)
