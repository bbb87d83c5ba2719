"""Which accounts this process knows: those that were seen lately, and those that somebody holds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

from app.accounts.account import Account, LoginSlot, Pacing, account_key
from app.accounts.login import Logins

_FORGET_AFTER_SECONDS = 86400.0
_MAX_KEPT = 10_000
_MAX_BESIDE = 1000


class AccountRegistry:
    """Guarded by the pool's lock.

    An account is the same object for as long as anybody holds it: forgetting one, however many others show
    up, never lets two leases out for it. One that the upstream never accepted is held by its requests alone,
    unless it was named together with one that was: then its cool-down spares their next request the refusal.
    """

    def __init__(
        self,
        logins: Logins,
        pacing: Pacing,
        is_configured: Callable[[str], bool] = lambda refresh_token: False,
        max_kept: int = _MAX_KEPT,
    ) -> None:
        self._logins = logins
        self._pacing = pacing
        self._is_configured = is_configured
        self._kept = _Recent(max_kept)
        self._beside = _Recent(_MAX_BESIDE)  # of their own, so that they push no accepted one out
        self._accounts: WeakValueDictionary[str, Account] = WeakValueDictionary()
        self.login_slots: WeakValueDictionary[str, LoginSlot] = WeakValueDictionary()
        """By owner."""

    def __len__(self) -> int:
        return len(self._accounts)

    @property
    def kept(self) -> int:
        """How many are known beyond the requests that name them."""
        return len(self._kept) + len(self._beside)

    def find(self, refresh_token: str, now: float) -> tuple[Account, bool]:
        """The account of a refresh token, and whether it is new here."""
        key = account_key(refresh_token)
        account = self._accounts.get(key)
        is_new = account is None
        if account is None:
            account = self._add(refresh_token, key, now)
        account.last_seen = now
        return account, is_new

    def is_accepted(self, refresh_token: str) -> bool:
        account = self._accounts.get(account_key(refresh_token))
        return account is not None and account.was_accepted

    def remember(self, accounts: Sequence[Account], now: float) -> list[Account]:
        """`accounts` were named together: keep those that were accepted, and the others beside them.

        Returns those that turned out to be accepted since they were last looked at.
        """
        accepted = [account for account in accounts if account.was_accepted]
        found = [account for account in accepted if not account.is_accepted]
        for account in found:
            account.is_accepted = True
        for account in accounts if accepted else ():
            (self._kept if account.is_accepted else self._beside).keep(account, now)
        return found

    def rename(self, account: Account, owner: str) -> LoginSlot:
        """The login of `account` is `owner`: the slot that is its from now on, maybe not the one it has."""
        old, account.owner = account.login_slot, owner
        login_slot = self.login_slots.setdefault(owner, old)
        if self.login_slots.get(account.key) is old:
            del self.login_slots[account.key]
        return login_slot

    def _add(self, refresh_token: str, key: str, now: float) -> Account:
        login = self._logins.get(key)
        owner = login or key
        login_slot = self.login_slots.get(owner)
        if login_slot is None:
            login_slot = self.login_slots[owner] = LoginSlot(self._pacing)
        is_accepted = login is not None or self._is_configured(refresh_token)
        account = self._accounts[key] = Account(
            refresh_token, key, login_slot, owner, is_accepted=is_accepted, since=now
        )
        login_slot.accounts[key] = account
        return account


class _Recent:
    """Holds accounts for a day after they were seen, and at most so many."""

    __slots__ = ("_accounts", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._accounts: OrderedDict[str, Account] = OrderedDict()  # the longest unseen first

    def __len__(self) -> int:
        return len(self._accounts)

    def keep(self, account: Account, now: float) -> None:
        self._accounts[account.key] = account
        self._accounts.move_to_end(account.key)
        while self._accounts:
            oldest = next(iter(self._accounts.values()))
            if len(self._accounts) <= self._most and now - oldest.last_seen <= _FORGET_AFTER_SECONDS:
                break
            del self._accounts[oldest.key]
