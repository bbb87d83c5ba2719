"""The lists of accounts: asked only when somebody looks, of one account, once in ten minutes.

Who looks waits for two seconds at most, counted from the begin of the call, however many look meanwhile.
Chats take what is known and never wait.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from app.accounts.account import Account
from app.background import run_in_background
from app.core.errors import GatewayError
from app.core.listing import Assistant, Listing, fold_name
from app.core.model_name import may_name_assistant
from app.hub import close_thread_loop

_KNOWN_SECONDS = 600.0
# What failed, or could not be read as a whole.
_FAILED_SECONDS = 60.0
_LOOK_SECONDS = 2.0
_MAX_AT_A_TIME = 16
_MAX_KNOWN = 500

ListingCall = Callable[[Account], Listing]


class _Entry:
    """What is known of one login. Guarded by the lock of `Listings`, but for `is_over`."""

    __slots__ = ("asked_at", "ids_by_name", "is_over", "listing")

    def __init__(self) -> None:
        self.asked_at = 0.0
        self.is_over: threading.Event | None = None
        """Of the call that runs; None where none does."""
        self.listing: Listing | None = None
        self.ids_by_name: Mapping[str, str] = {}

    def is_fresh(self, now: float) -> bool:
        is_whole = self.listing is not None and self.listing.is_whole
        return now - self.asked_at < (_KNOWN_SECONDS if is_whole else _FAILED_SECONDS)


class Listings:
    """Thread-safe. By login: nobody is shown a list but by an account of their own."""

    def __init__(self, call: ListingCall, clock: Callable[[], float] = time.monotonic) -> None:
        """`call` asks the upstream with an account that it accepted once."""
        self._call = call
        self._clock = clock
        self._lock = threading.Lock()  # guards what follows
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # the longest unasked first
        self._running: dict[str, _Entry] = {}
        """By account. Whose login it is may turn out while it is asked."""

    def __repr__(self) -> str:
        return f"<Listings known={len(self._entries)}>"

    @property
    def is_empty(self) -> bool:
        return not self._entries

    def look(self, accounts: Sequence[Account]) -> Listing:
        """What is known for these accounts, after two seconds at most."""
        is_over, ends_at = self._ask_if_due(accounts)
        if is_over is not None:
            is_over.wait(max(0.0, ends_at - self._clock()))
        with self._lock:
            entry = self._find_known(accounts)
            return entry.listing if entry is not None and entry.listing is not None else Listing()

    def find_assistant(self, name: str, accounts: Sequence[Account]) -> str | None:
        """The id of the only assistant that is called so, as far as that is known now."""
        with self._lock:
            entry = self._find_known(accounts)
        return entry.ids_by_name.get(fold_name(name)) if entry is not None else None

    def _find_known(self, accounts: Iterable[Account]) -> _Entry | None:
        now = self._clock()
        for account in accounts:
            entry = self._entries.get(account.owner)
            if entry is not None and entry.listing is not None and account.state(now) != "expired":
                return entry
        return None

    def _ask_if_due(self, accounts: Sequence[Account]) -> tuple[threading.Event | None, float]:
        """The end of the call that runs for these accounts, if one does, and until when to wait for it."""
        with self._lock:
            now = self._clock()
            known = [entry for one in accounts if (entry := self._get(one)) is not None]
            running = next((entry for entry in known if entry.is_over is not None), None)
            if running is not None:
                return running.is_over, running.asked_at + _LOOK_SECONDS
            if any(entry.is_fresh(now) for entry in known) or len(self._running) >= _MAX_AT_A_TIME:
                return None, now
            account = min(
                (one for one in accounts if one.was_accepted and one.state(now) in ("ready", "unknown")),
                key=self._rank,
                default=None,
            )
            if account is None:
                return None, now
            entry = self._running[account.key] = self._begin(account.owner, now)
            is_over = entry.is_over = threading.Event()
        run_in_background(partial(self._ask, account, entry, is_over))
        return is_over, now + _LOOK_SECONDS

    def _get(self, account: Account) -> _Entry | None:
        return self._entries.get(account.owner) or self._running.get(account.key)

    def _rank(self, account: Account) -> tuple[int, float]:
        """Whose list is known is asked again, then who was never asked, then who failed the longest ago."""
        entry = self._get(account)
        if entry is None:
            return 1, 0.0
        return (0 if entry.listing is not None else 2), entry.asked_at

    def _begin(self, owner: str, now: float) -> _Entry:
        """Whoever was asked longest ago is forgotten; a call that runs for them ends in nothing."""
        entry = self._entries.setdefault(owner, _Entry())
        entry.asked_at = now
        self._entries.move_to_end(owner)
        if len(self._entries) > _MAX_KNOWN:
            self._entries.popitem(last=False)
        return entry

    def _ask(self, account: Account, entry: _Entry, is_over: threading.Event) -> None:
        listing, owner = None, account.owner
        try:
            listing = self._call(account)
        except GatewayError:
            pass  # what was known stays
        finally:
            with self._lock:
                del self._running[account.key]
                entry.is_over = None
                self._move(entry, owner, account.owner)
                if listing is not None:
                    entry.listing = listing.fill_up(entry.listing or Listing())
                    entry.ids_by_name = index_names(entry.listing.assistants or ())
            is_over.set()
            close_thread_loop()

    def _move(self, entry: _Entry, owner: str, found: str) -> None:
        """The login behind an account turned out to be another one than was known."""
        if owner != found and self._entries.get(owner) is entry:
            del self._entries[owner]
            self._entries[found] = entry


def index_names(assistants: Iterable[Assistant]) -> Mapping[str, str]:
    """Ids by folded name, of names that may be an assistant's and are only one's."""
    ids: dict[str, set[str]] = {}
    for assistant in assistants:
        if may_name_assistant(assistant.name):
            ids.setdefault(fold_name(assistant.name), set()).add(assistant.id)
    return {name: owners.pop() for name, owners in ids.items() if name and len(owners) == 1}
