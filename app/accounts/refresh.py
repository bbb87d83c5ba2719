"""Access tokens: fetched once however many ask, kept until shortly before they expire."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from app.accounts.account import Account
from app.accounts.vault import RotatedTokens, Vault
from app.auth_token import AccessToken, RefreshedTokens, is_sendable, read_expiry
from app.background import run_in_background
from app.catalogue.account import ACCOUNT_REFUSED, TOKEN_REFUSED, VISITORS_ACCOUNT
from app.core.errors import AccessRejected, AccountExpired, GatewayError, InternalError
from app.core.upstream_words import UpstreamWords, keep_words
from app.hub import close_thread_loop
from app.logs import redactor
from app.metrics.counters import Counters

log = logging.getLogger(__name__)

# Renewed ahead of expiry, each account at its own moment, and a short life is not eaten up by the margin.
_MIN_MARGIN_SECONDS = 120.0
_MAX_MARGIN_SECONDS = 300.0
_MAX_MARGIN_SHARE = 0.2
# How long a rotated refresh token is kept whose own end is unknown: as long as a real one lives.
_REFRESH_LIFE_SECONDS = 180 * 86400.0
# As long as the shortest cool-down of an account whose tokens were refused: each is tried once in that time.
_REFUSED_SECONDS = 60.0

_T = TypeVar("_T")

RefreshCall = Callable[[str], RefreshedTokens]
IdentifyCall = Callable[[Account, str], None]


class _Refresh:
    """One refresh on its way. Who waits may be interrupted at any time, and leaves nothing behind."""

    __slots__ = ("_error", "_is_over", "_token")

    def __init__(self) -> None:
        self._is_over = threading.Event()
        self._token: AccessToken | None = None
        self._error: BaseException | None = None

    def end(self, token: AccessToken | None, error: BaseException | None) -> None:
        self._token, self._error = token, error
        self._is_over.set()

    def wait(self, seconds: float | None = None) -> None:
        self._is_over.wait(seconds)

    def result(self) -> AccessToken:
        """The token, when it is there. Raises what kept the refresh from bringing one."""
        self._is_over.wait()
        if self._token is not None:
            return self._token
        try:
            raise self._error or InternalError("A refresh ended without a result.")
        finally:
            del self  # else the error's traceback holds this frame, and this frame the error


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
        counters: Counters | None = None,
    ) -> None:
        self._refresh = refresh
        self._vault = vault
        self._identify = identify
        self._clock = clock
        self._counters = counters or Counters()
        self._lock = threading.Lock()
        self._running: dict[str, _Refresh] = {}

    def access_token(self, account: Account, *, rejected: AccessToken | None = None) -> AccessToken:
        """A token that is good for now; `rejected` is one the upstream refused, and is not returned again.

        Raises AccountExpired where the refresh token is dead, or what kept the upstream from answering.
        """
        token = self.find_good_token(account, rejected)
        if token is None:
            return self._join(account, lambda: self._find_good(account, rejected)).result()
        return token

    def find_good_token(self, account: Account, rejected: AccessToken | None = None) -> AccessToken | None:
        """The same where nobody has to be asked for it, else None. Never waits."""
        token = self._find_good(account, rejected)
        if token is not None:
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
        try:
            return self._call_twice(account, call)
        except GatewayError as error:
            error.account = account.label
            raise

    def _call_twice(self, account: Account, call: Callable[[AccessToken], _T]) -> _T:
        token = self.access_token(account)
        try:
            return call(token)
        except AccessRejected:
            token = self.access_token(account, rejected=token)
        try:
            return call(token)
        except AccessRejected as exc:
            # Never by a name of this frame, which its traceback holds: the two would hold the whole request.
            raise keep_words(AccountExpired(ACCOUNT_REFUSED.fill(account=account.label)), exc) from exc

    def renew(self, account: Account) -> AccessToken:
        """Ask the upstream even though the known token may still be good."""
        return self._join(account, lambda: None).result()

    def settle(self, seconds: float) -> None:
        """Wait for the refreshes that are running: a rotated token that is not kept is a lost account."""
        ends_at = time.monotonic() + seconds
        with self._lock:
            running = list(self._running.values())
        for refresh in running:
            refresh.wait(max(0.0, ends_at - time.monotonic()))

    def _join(self, account: Account, find_good: Callable[[], AccessToken | None]) -> _Refresh:
        """The refresh that runs; else one that begins now, unless the last one has ended in this moment."""
        with self._lock:
            refresh = self._running.get(account.owner)
            if refresh is None:
                refresh = _Refresh()
                if (token := find_good()) is not None:
                    refresh.end(token, None)
                    return refresh
                owner = account.owner
                self._running[owner] = refresh
                # By itself: a caller that goes away must not lose a rotated token half-way.
                run_in_background(partial(self._run, account, owner, refresh))
            return refresh

    def _run(self, account: Account, owner: str, refresh: _Refresh) -> None:
        token, error = None, None
        try:
            token = self._exchange(account)
            outcome = "ok"
        except BaseException as exc:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            error = exc
            outcome = exc.code if isinstance(exc, GatewayError) else InternalError.code
            if isinstance(exc, GatewayError):
                exc.account = account.label
        self._counters.refreshes[outcome] += 1
        with self._lock:
            del self._running[owner]
        refresh.end(token, error)
        del refresh, error  # as in `result`: what a request held would live until a full collection
        close_thread_loop()

    def _exchange(self, account: Account) -> AccessToken:
        """The newest refresh token; where the upstream refuses it the one before, then the original.

        None is asked again within a minute of its refusal, and none is given up for it: a refusal may be a
        fault of the upstream's, and the newest token may be the only one that is alive.
        """
        rotated = self._read_rotated(account)
        now = self._clock()
        refused = account.refused_until = {
            token: until
            for token, until in account.refused_until.items()
            if now < until <= now + _REFUSED_SECONDS
        }
        said: UpstreamWords | None = None
        for candidate in dict.fromkeys((rotated.newest, rotated.previous, account.refresh_token)):
            if candidate is None or candidate in refused:
                continue
            redactor.learn(candidate)
            try:
                tokens = self._refresh(candidate)
            except AccessRejected as exc:
                refused[candidate] = self._clock() + _REFUSED_SECONDS
                said = exc.upstream
                continue
            if tokens.is_guest:
                raise AccountExpired(VISITORS_ACCOUNT.fill(account=account.label))
            return self._keep(account, candidate, rotated, tokens)
        account.access_token = None
        raise _expired(account, said)

    def _read_rotated(self, account: Account) -> RotatedTokens:
        """What was given for the account's token, else that token itself; read once."""
        if account.rotated is None:
            account.rotated = self._vault.get(account.refresh_token)
        return account.rotated or RotatedTokens(account.refresh_token)

    def _keep(
        self, account: Account, used: str, before: RotatedTokens, tokens: RefreshedTokens
    ) -> AccessToken:
        newest = tokens.refresh_token or used
        if not is_sendable(newest):
            log.warning("account %s was given a refresh token that cannot be sent: not kept", account.label)
            newest = used
        for secret in (newest, tokens.access_token.value):
            redactor.learn(secret)
        account.refused_until = {}
        if newest != before.newest:
            # Rather the one that has just been good. The original is known in any case.
            known = (account.refresh_token, newest)
            previous = next((token for token in (used, before.newest) if token not in known), None)
            self._keep_rotated(account, RotatedTokens(newest, previous))
        if tokens.user_id is not None:
            self._identify(account, tokens.user_id)
        token = tokens.access_token
        life = token.expires_at - self._clock()
        margin = random.uniform(_MIN_MARGIN_SECONDS, _MAX_MARGIN_SECONDS)  # noqa: S311
        account.access_token = token
        account.refresh_at = token.expires_at - min(margin, max(life, 0.0) * _MAX_MARGIN_SHARE)
        return token

    def _keep_rotated(self, account: Account, rotated: RotatedTokens) -> None:
        account.rotated = rotated
        unknown = self._clock() + _REFRESH_LIFE_SECONDS
        known = (rotated.newest, rotated.previous)
        expires = max(read_expiry(token) or unknown for token in known if token is not None)
        self._vault.put(account.refresh_token, rotated, expires)


def _expired(account: Account, said: UpstreamWords | None) -> AccountExpired:
    error = AccountExpired(TOKEN_REFUSED.fill(account=account.label))
    error.upstream = said
    return error
