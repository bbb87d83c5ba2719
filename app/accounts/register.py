"""Which accounts this process knows: those that were seen lately, and those that somebody holds."""

from __future__ import annotations

from collections import OrderedDict
from weakref import WeakValueDictionary

from app.accounts.account import Account, Pacing, Seat, account_key
from app.accounts.login import Logins

_FORGET_AFTER_SECONDS = 86400.0
_MOST_KEPT = 10_000


class Register:
    """Guarded by the pool's lock.

    An account is the same object for as long as anybody holds it: forgetting one, however many others show
    up, never lets two leases out for it.
    """

    def __init__(self, logins: Logins, pacing: Pacing, most_kept: int = _MOST_KEPT) -> None:
        self._logins = logins
        self._pacing = pacing
        self._most_kept = most_kept
        self._kept: OrderedDict[str, Account] = OrderedDict()  # the longest unseen first
        self._accounts: WeakValueDictionary[str, Account] = WeakValueDictionary()
        self.seats: WeakValueDictionary[str, Seat] = WeakValueDictionary()
        """By owner."""

    def __len__(self) -> int:
        return len(self._accounts)

    def find(self, refresh_token: str, now: float) -> tuple[Account, bool]:
        """The account of a refresh token, and whether it is new here."""
        key = account_key(refresh_token)
        account = self._accounts.get(key)
        is_new = account is None
        if account is None:
            account = self._add(refresh_token, key, now)
        account.last_seen = now
        self._keep(account, now)
        return account, is_new

    def rename(self, account: Account, owner: str) -> Seat:
        """The login of `account` is `owner`: the seat that is its from now on, maybe not the one it has."""
        old, account.owner = account.seat, owner
        seat = self.seats.setdefault(owner, old)
        if self.seats.get(account.key) is old:
            del self.seats[account.key]
        return seat

    def _add(self, refresh_token: str, key: str, now: float) -> Account:
        owner = self._logins.get(key) or key
        seat = self.seats.get(owner)
        if seat is None:
            seat = self.seats[owner] = Seat(self._pacing)
        account = self._accounts[key] = Account(refresh_token, key, seat, owner, since=now)
        seat.accounts[key] = account
        return account

    def _keep(self, account: Account, now: float) -> None:
        self._kept[account.key] = account
        self._kept.move_to_end(account.key)
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if len(self._kept) <= self._most_kept and now - oldest.last_seen <= _FORGET_AFTER_SECONDS:
                break
            del self._kept[oldest.key]
