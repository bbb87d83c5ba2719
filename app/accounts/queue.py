"""Who waits for an account, in order of arrival. Guarded by the pool's lock."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from app.accounts.account import Account
from app.accounts.lease import Lease
from app.catalogue.account import QUEUE_FULL
from app.core.errors import AccountsBusy

_FULL_RETRY_SECONDS = 10.0


class Waiter:
    """One request that waits; `turn` is set when it has been granted a lease or shall look again."""

    __slots__ = ("accounts", "caller", "granted", "turn")

    def __init__(self, accounts: Sequence[Account], caller: str) -> None:
        self.accounts = accounts
        self.caller = caller
        self.turn = threading.Event()
        self.granted: Lease | None = None

    def grant(self, lease: Lease) -> None:
        """It is the waiter's from now on, which may be a while before it looks."""
        self.granted = lease
        self.turn.set()


class Queue:
    """First come, first served per login; at most `length` waiting for one caller."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._waiting: dict[Waiter, None] = {}
        self._callers: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def count(self, caller: str) -> int:
        """How many of this caller wait."""
        return self._callers.get(caller, 0)

    def join(self, waiter: Waiter) -> None:
        """Stand at the end, or keep the place."""
        if waiter not in self._waiting:
            self._callers[waiter.caller] += 1
            self._waiting[waiter] = None

    def find_place(self, waiter: Waiter) -> int:
        """From 1; only those count who stand before it for one of its accounts."""
        login_slots = {account.login_slot for account in waiter.accounts}
        place = 1
        for other in self._waiting:
            if other is waiter:
                break
            place += any(account.login_slot in login_slots for account in other.accounts)
        return place

    def check(self, waiter: Waiter) -> None:
        """Raise AccountsBusy, and leave, where the caller has too many who really have to wait."""
        if self._callers[waiter.caller] > self._length:
            self.leave(waiter)
            raise AccountsBusy(
                QUEUE_FULL.fill(length=self._length),
                retry_after_seconds=_FULL_RETRY_SECONDS,
            )

    def call(self, accounts: Sequence[Account]) -> tuple[Waiter, Account] | None:
        """The first in line for any of these accounts, who leaves the line, and which; None without one."""
        for waiter in self._waiting:
            for account in accounts:
                if account in waiter.accounts:
                    self.leave(waiter)
                    return waiter, account
        return None

    def stir(self, account: Account) -> None:
        """Let those who wait for `account` look again: when it will be ready is known only now."""
        for waiter in self._waiting:
            if account in waiter.accounts:
                waiter.turn.set()

    def leave(self, waiter: Waiter) -> None:
        """Idempotent."""
        if self._waiting.pop(waiter, self) is None:
            self._callers[waiter.caller] -= 1
            if not self._callers[waiter.caller]:
                del self._callers[waiter.caller]
