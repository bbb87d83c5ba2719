"""Access tokens: fetched once however many ask, kept until shortly before they expire."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from app.accounts.account import Account
from app.errors import AccessRejected, AccountExpired
from app.token import AccessToken, RefreshedTokens

# A token that expires in the middle of a request costs a second refresh; this is far longer than any start.
_MARGIN_SECONDS = 120.0

RefreshCall = Callable[[str], RefreshedTokens]


class Refresher:
    """Thread-safe. One refresh at a time per account; all who wait share its result or its error."""

    def __init__(self, refresh: RefreshCall, clock: Callable[[], float] = time.time) -> None:
        self._refresh = refresh
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, Future[AccessToken]] = {}

    def access_token(self, account: Account, *, rejected: AccessToken | None = None) -> AccessToken:
        """A token that is good for now; `rejected` is one the upstream refused, and is not returned again.

        Raises AccountExpired where the refresh token is dead, or what kept the upstream from answering.
        """
        token = account.access_token
        if token is not None and token is not rejected and token.expires_at - self._clock() > _MARGIN_SECONDS:
            return token
        return self._join(account).result()

    def _join(self, account: Account) -> Future[AccessToken]:
        with self._lock:
            future = self._running.get(account.key)
            if future is None:
                future = self._running[account.key] = Future()
                # A thread of its own: a caller that goes away must not lose a rotated token half-way.
                threading.Thread(
                    target=self._run, args=(account, future), name="refresh", daemon=True
                ).start()
            return future

    def _run(self, account: Account, future: Future[AccessToken]) -> None:
        try:
            tokens = self._refresh(account.refresh_token)
            account.access_token = tokens.access_token
        except AccessRejected as exc:
            self._settle(account).set_exception(_expired(account, exc))
        except BaseException as exc:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._settle(account).set_exception(exc)
        else:
            self._settle(account).set_result(tokens.access_token)

    def _settle(self, account: Account) -> Future[AccessToken]:
        with self._lock:
            return self._running.pop(account.key)


def _expired(account: Account, cause: AccessRejected) -> AccountExpired:
    error = AccountExpired(
        f"The upstream refuses the refresh token of account {account.label}. Log in again to get a new one."
    )
    error.__cause__ = cause
    return error
