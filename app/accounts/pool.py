"""All accounts this process has met, and the fair queue of those who wait for one.

One lock guards the accounts' mutable fields and the queue; nothing blocks while it is held.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from app.accounts.account import Account, account_key
from app.accounts.lease import Lease
from app.errors import AccountExpired, AccountsBusy, GatewayError, Outcome, UpstreamThrottled

_BUSY_RETRY_SECONDS = 5.0


class _Waiter:
    __slots__ = ("accounts", "granted", "turn")

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.accounts = accounts
        self.turn = threading.Event()
        self.granted: Account | None = None


class AccountPool:
    """Thread-safe. Gives every account to one reply at a time, the longest unused first, callers in order."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[str, Account] = {}
        self._waiting: list[_Waiter] = []  # in order of arrival

    def __repr__(self) -> str:
        return (
            f"<AccountPool accounts={len(self._accounts)} leased={self.leased} waiting={len(self._waiting)}>"
        )

    @property
    def leased(self) -> int:
        """How many leases are out."""
        return sum(account.is_leased for account in self._accounts.values())

    def find(self, refresh_tokens: Iterable[str]) -> list[Account]:
        """The accounts of these refresh tokens, known ones and new ones, in the same order."""
        with self._lock:
            return [self._find(token) for token in refresh_tokens]

    def get(self, key: str) -> Account | None:
        return self._accounts.get(key)

    def acquire(self, accounts: Sequence[Account], *, wait_seconds: float) -> Lease:
        """A lease on one of `accounts` (not empty), waiting at most so long.

        Raises AccountsBusy when the time is over, or at once the error that made all of them cool down when
        none comes back in time.
        """
        deadline = self._clock() + wait_seconds
        waiter = _Waiter(accounts)
        try:
            while not self._take_turn(waiter):
                waiter.turn.wait(self._pause(waiter, deadline))
        except BaseException:
            self._leave(waiter)
            raise
        assert waiter.granted is not None  # noqa: S101
        return Lease(waiter.granted, self._release)

    def _find(self, token: str) -> Account:
        key = account_key(token)
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = Account(token, key)
        return account

    def _take_turn(self, waiter: _Waiter) -> bool:
        """Queue up if new, then give every account that is ready to the first in line for it."""
        with self._lock:
            if waiter.granted is None:
                if waiter not in self._waiting:
                    self._waiting.append(waiter)
                now = self._clock()
                ready = [account for account in waiter.accounts if account.is_ready(now)]
                for account in sorted(ready, key=lambda account: account.last_used):
                    if waiter.granted is None:
                        self._offer(account)
            return waiter.granted is not None

    def _offer(self, account: Account) -> None:
        for waiter in self._waiting:
            if account in waiter.accounts:
                account.is_leased = True
                waiter.granted = account
                self._waiting.remove(waiter)
                waiter.turn.set()
                return

    def _pause(self, waiter: _Waiter, deadline: float) -> float:
        """Seconds until looking again makes sense. Raises when it never will before the deadline."""
        now = self._clock()
        with self._lock:
            returns = [account.cooling_until for account in waiter.accounts if not account.is_leased]
            if len(returns) == len(waiter.accounts) and min(returns) > deadline:
                raise _all_cooling(waiter.accounts, now)
        if now >= deadline:
            raise AccountsBusy(
                f"All {len(waiter.accounts)} accounts of this request are answering. Wait, or add accounts.",
                retry_after_seconds=_BUSY_RETRY_SECONDS,
            )
        return max(0.0, min([deadline, *returns]) - now)

    def _leave(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            granted, waiter.granted = waiter.granted, None
        if granted is not None:
            self._release(granted, Outcome.ABANDONED, None)

    def _release(self, account: Account, outcome: Outcome, error: GatewayError | None) -> None:
        with self._lock:
            now = self._clock()
            account.is_leased = False
            account.last_used = now
            account.record(outcome, error, now)
            if account.is_ready(now):
                self._offer(account)


def _all_cooling(accounts: Sequence[Account], now: float) -> GatewayError:
    soonest = min(accounts, key=lambda account: account.cooling_until)
    if all(account.state(now) == "expired" for account in accounts):
        return AccountExpired(
            "The upstream refuses the refresh token of every account of this request. Get new ones."
        )
    return UpstreamThrottled(
        "Every account of this request is cooling down after the upstream's refusal.",
        retry_after_seconds=soonest.cooling_until - now,
    )
