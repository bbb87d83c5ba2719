"""Access tokens: fetched once however many ask, kept until shortly before they expire."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from app.accounts.account import Account
from app.accounts.vault import Vault
from app.errors import AccessRejected, AccountExpired, GatewayError, InternalError
from app.hub import close_thread_loop
from app.logs import redactor
from app.metrics.tally import Tally
from app.token import AccessToken, RefreshedTokens, read_expiry

# Renewed ahead of expiry, each account at its own moment, and a short life is not eaten up by the margin.
_LEAST_MARGIN_SECONDS = 120.0
_MOST_MARGIN_SECONDS = 300.0
_MOST_MARGIN_SHARE = 0.2
# How long a rotated refresh token is kept whose own end is unknown: as long as a real one lives.
_REFRESH_LIFE_SECONDS = 180 * 86400.0

_T = TypeVar("_T")

RefreshCall = Callable[[str], RefreshedTokens]
IdentifyCall = Callable[[Account, str], None]


class Refresher:
    """Thread-safe. One refresh at a time per account; all who wait share its result or its error.

    `identify` is told whose login an account is, whenever the upstream says so.
    """

    def __init__(
        self,
        refresh: RefreshCall,
        vault: Vault,
        identify: IdentifyCall,
        clock: Callable[[], float] = time.time,
        tally: Tally | None = None,
    ) -> None:
        self._refresh = refresh
        self._vault = vault
        self._identify = identify
        self._clock = clock
        self._tally = tally or Tally()
        self._lock = threading.Lock()
        self._running: dict[str, Future[AccessToken]] = {}

    def access_token(self, account: Account, *, rejected: AccessToken | None = None) -> AccessToken:
        """A token that is good for now; `rejected` is one the upstream refused, and is not returned again.

        Raises AccountExpired where the refresh token is dead, or what kept the upstream from answering.
        """
        token = self._find_good(account, rejected)
        if token is None:
            return self._join(account, lambda: self._find_good(account, rejected)).result()
        redactor.learn(token.value)
        return token

    def _find_good(self, account: Account, rejected: AccessToken | None) -> AccessToken | None:
        good_until, token = account.refresh_at, account.access_token
        is_good = token is not rejected and self._clock() < good_until
        return token if is_good else None

    def with_token(self, account: Account, call: Callable[[AccessToken], _T]) -> _T:
        """One call with the account's token, and one more with a new one where that is refused.

        Raises AccountExpired where the new one is refused as well.
        """
        token = self.access_token(account)
        try:
            return call(token)
        except AccessRejected:
            token = self.access_token(account, rejected=token)
        try:
            return call(token)
        except AccessRejected as exc:
            raise AccountExpired(f"The upstream refuses account {account.label}.") from exc

    def renew(self, account: Account) -> AccessToken:
        """Ask the upstream even though the known token may still be good."""
        return self._join(account, lambda: None).result()

    def settle(self, seconds: float) -> None:
        """Wait for the refreshes that are running: a rotated token that is not kept is a lost account."""
        with self._lock:
            running = list(self._running.values())
        wait(running, seconds)

    def _join(self, account: Account, find_good: Callable[[], AccessToken | None]) -> Future[AccessToken]:
        """The refresh that runs; else one that begins now, unless the last one has ended in this moment."""
        with self._lock:
            future = self._running.get(account.owner)
            if future is None:
                future = Future()
                if (token := find_good()) is not None:
                    future.set_result(token)
                    return future
                self._running[account.owner] = future
                # A thread of its own: a caller that goes away must not lose a rotated token half-way.
                thread = threading.Thread(
                    target=self._run, args=(account, account.owner, future), name="refresh", daemon=True
                )
                thread.start()
            return future

    def _run(self, account: Account, running: str, future: Future[AccessToken]) -> None:
        try:
            token = self._exchange(account)
        except BaseException as exc:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._tally.refreshes[exc.code if isinstance(exc, GatewayError) else InternalError.code] += 1
            self._forget(running)
            future.set_exception(exc)
        else:
            self._tally.refreshes["ok"] += 1
            self._forget(running)
            future.set_result(token)
        finally:
            close_thread_loop()

    def _forget(self, running: str) -> None:
        with self._lock:
            del self._running[running]

    def _exchange(self, account: Account) -> AccessToken:
        """Try the newest refresh token, then once the original; keep what comes back."""
        newest = account.newest_refresh_token or self._vault.get(account.refresh_token)
        candidates = [token for token in (newest, account.refresh_token) if token is not None]
        for candidate in dict.fromkeys(candidates):
            redactor.learn(candidate)
            try:
                tokens = self._refresh(candidate)
            except AccessRejected:
                continue
            return self._keep(account, candidate, tokens)
        account.newest_refresh_token = account.access_token = None
        self._vault.drop(account.refresh_token)
        raise AccountExpired(
            f"The upstream refuses the refresh token of account {account.label}. Log in again for a new one."
        )

    def _keep(self, account: Account, used: str, tokens: RefreshedTokens) -> AccessToken:
        newest = tokens.refresh_token or used
        for secret in (newest, tokens.access_token.value):
            redactor.learn(secret)
        if newest != (account.newest_refresh_token or account.refresh_token):
            account.newest_refresh_token = newest
            expires = read_expiry(newest) or self._clock() + _REFRESH_LIFE_SECONDS
            self._vault.put(account.refresh_token, newest, expires)
        if tokens.user_id is not None:
            self._identify(account, tokens.user_id)
        token = tokens.access_token
        life = token.expires_at - self._clock()
        margin = random.uniform(_LEAST_MARGIN_SECONDS, _MOST_MARGIN_SECONDS)  # noqa: S311
        account.access_token = token
        account.refresh_at = token.expires_at - min(margin, max(life, 0.0) * _MOST_MARGIN_SHARE)
        return token
