"""All accounts this process knows, and the fair queue of those who wait for one.

One lock guards slots, health and the queue. Under it things are decided and nothing waits; outside it callers
wait, each for an event of its own, and callbacks run. A request that wants a lease:

                   first in line for a slot that is free
    acquire -> waiting --------------------------------> granted -> returned: the caller's, until `release`
               |    ^                                       |
     turn.wait |    | turn.set, or time to look             +-> its request ended before it woke: given back
               v    |                                           as ABANDONED, to the next in line
               asleep -> raises: no account can come back before the deadline, or the deadline is there

Whoever frees or finds a slot gives it to the first in line for it (`_offer`): who wakes up owns the lease
already, and nobody who came later can take it. Each slot has a first of its own. A and B are answering; X
waits for A or B, after it Y for A, after it Z for B:

    X Y Z    B is released -> X has B
    Y Z      A is released -> Y has A
    Z        a newcomer who wants B joins behind Z, and Z gets B first

A released account that has to rest now grants nothing, but wakes those who wait for it (`Queue.stir`): they
compute their pauses anew, and where all their accounts rest beyond the deadline they fail at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import get_args

from app.accounts.account import Account, LoginSlot, Pacing, State, login_key
from app.accounts.account_registry import AccountRegistry
from app.accounts.lease import Lease
from app.accounts.login import Logins
from app.accounts.queue import Queue, Waiter
from app.catalogue.account import ALL_ANSWERING, ALL_COOLING, ALL_EXPIRED, PACE_USED, TOKEN_REFUSED
from app.core.errors import AccountExpired, AccountsBusy, GatewayError, Outcome, UpstreamThrottled
from app.core.wait import TellWait, Wait
from app.metrics.counters import Counters

_BUSY_RETRY_SECONDS = 5.0
_MAX_NAMED = 10
_PLACE_SECONDS = 1.0
"""How often somebody who wants to know looks at the place in the queue."""


class AccountPool:
    """Thread-safe. Gives every login to one reply at a time, the longest unused first, callers in order."""

    def __init__(
        self,
        logins: Logins,
        *,
        pacing: Pacing = Pacing(),  # noqa: B008 - frozen
        queue_length: int = 64,
        on_arrival: Callable[[Account], None] = lambda account: None,
        clock: Callable[[], float] = time.monotonic,
        counters: Counters | None = None,
        is_configured: Callable[[str], bool] = lambda refresh_token: False,
    ) -> None:
        """`on_arrival` is told, outside the lock, of accounts that are new or whose login became known.

        Of one that the upstream never accepted it is told when that is over.

        `is_configured` says whether a refresh token is the operator's own.
        """
        self._on_arrival = on_arrival
        self._logins = logins
        self._pacing = pacing
        self._clock = clock
        self._counters = counters or Counters()
        self._lock = threading.Lock()
        self._registry = AccountRegistry(logins, pacing, is_configured)
        self._queue = Queue(queue_length)

    def __repr__(self) -> str:
        counts = f"accounts={len(self._registry)} leased={self.leased} waiting={len(self._queue)}"
        return f"<AccountPool {counts}>"

    @property
    def leased(self) -> int:
        """How many leases are out."""
        return sum(login_slot.is_leased for login_slot in self._registry.login_slots.values())

    def waiting(self, caller: str) -> int:
        """How many requests of this caller wait for an account."""
        return self._queue.count(caller)

    @property
    def queue_length(self) -> int:
        """How many requests wait for an account, whoever asks."""
        return len(self._queue)

    def count_states(self) -> dict[str, int]:
        """How many accounts are in each state, those in none too."""
        counts: dict[str, int] = dict.fromkeys(get_args(State), 0)
        with self._lock:
            now = self._clock()
            for login_slot in self._registry.login_slots.values():
                for account in login_slot.accounts.values():
                    counts[account.state(now)] += 1
        return counts

    def get_or_add(self, refresh_tokens: Iterable[str]) -> list[Account]:
        """The accounts of these refresh tokens, known ones and new ones, in the same order.

        A new one may push others out, and one that is new and accepted is announced (`on_arrival`).
        """
        with self._lock:
            now = self._clock()
            found = [self._registry.find(token, now) for token in refresh_tokens]
            accounts = [account for account, _ in found]
            arrived = self._registry.remember(accounts, now)
        new = [account for account, is_new in found if is_new and account.is_accepted]
        for account in [*new, *arrived]:
            self._on_arrival(account)
        return accounts

    def knows_any(self, refresh_tokens: Iterable[str]) -> bool:
        """Whether the upstream accepted one of these once."""
        with self._lock:
            return any(self._registry.is_accepted(token) for token in refresh_tokens)

    def remember(self, accounts: Sequence[Account]) -> None:
        """These were named together, and one of them may have been accepted since."""
        with self._lock:
            arrived = self._registry.remember(accounts, self._clock())
        for account in arrived:
            self._on_arrival(account)

    def find_owner(self, owner: str) -> Account | None:
        """An account that owns the conversations of `owner`, if it has shown up; one that works, if any."""
        with self._lock:
            login_slot = self._registry.login_slots.get(owner)
            now = self._clock()
            accounts = (
                sorted(login_slot.accounts.values(), key=lambda account: account.cooling_until)
                if login_slot
                else []
            )
            return next((account for account in accounts if account.state(now) != "expired"), None)

    def describe(self, refresh_tokens: Iterable[str]) -> list[dict[str, object]]:
        """The health of these accounts for people; times are Unix seconds."""
        accounts = self.get_or_add(refresh_tokens)
        with self._lock:
            now = self._clock()
            return [account.describe(now, offset=time.time() - now) for account in accounts]

    def owners(self) -> list[str]:
        """Everybody who has shown up."""
        with self._lock:
            return list(self._registry.login_slots)

    def acquire(
        self,
        accounts: Sequence[Account],
        *,
        wait_seconds: float,
        caller: str = "",
        tell: TellWait | None = None,
    ) -> Lease:
        """A lease on one of `accounts` (not empty), waiting at most so long; `tell` hears the place in line.

        Raises AccountsBusy when the time is over or the caller's queue is full, or at once the error that
        made all of them cool down when none comes back in time.
        """
        begun_at = self._clock()
        deadline = begun_at + wait_seconds
        waiter, place = Waiter(accounts, caller), 0
        try:
            while (lease := self._take_turn(waiter)) is None:
                pause = self._pause(waiter, deadline)
                if tell is not None:
                    place, pause = self._tell_place(waiter, place, tell), min(pause, _PLACE_SECONDS)
                waiter.turn.wait(pause)
        except BaseException:
            self._leave(waiter)
            raise
        finally:
            self._counters.queue_seconds.add(self._clock() - begun_at)
        return lease

    def identify(self, account: Account, user_id: str) -> None:
        """The upstream said whose login `account` is: tokens of one login share one login_slot."""
        owner = login_key(user_id)
        if owner == account.owner:
            return
        account.is_accepted = True  # only an accepted token has a login
        self._logins.put(account.key, owner)
        with self._lock:
            old, login_slot = account.login_slot, self._registry.rename(account, owner)
            if login_slot is not old:
                self._move(account, old, login_slot)
            self._registry.remember([account], self._clock())
        self._on_arrival(account)

    def cool(self, account: Account, outcome: Outcome, error: GatewayError) -> None:
        """Learn of a failure that no lease saw."""
        self._counters.note_try(outcome, error)
        with self._lock:
            account.record(outcome, error, self._clock())

    def _move(self, account: Account, old: LoginSlot, login_slot: LoginSlot) -> None:
        """A lease on the old login_slot follows where the new one is free; else Lease.confirm will tell."""
        del old.accounts[account.key]
        login_slot.accounts[account.key] = account
        account.login_slot = login_slot
        if old.is_leased and not login_slot.is_leased:
            login_slot.is_leased = True
            old.moved_to = login_slot

    def _take_turn(self, waiter: Waiter) -> Lease | None:
        """Queue up if new, then give every account that is ready to the first in line for it."""
        with self._lock:
            if waiter.granted is None:
                waiter.turn.clear()
                self._queue.join(waiter)
                now = self._clock()
                ready = [account for account in waiter.accounts if self._is_ready(account, now)]
                for account in sorted(ready, key=attrgetter("login_slot.last_used")):
                    # Several accounts may share the one slot that has just been given away.
                    if not account.login_slot.is_leased and waiter.granted is None:
                        self._offer(account.login_slot)
                if waiter.granted is None:
                    self._queue.check(waiter)
            return waiter.granted

    def _is_ready(self, account: Account, now: float) -> bool:
        return not account.login_slot.is_leased and account.ready_at(self._pacing, now) <= now

    def _offer(self, login_slot: LoginSlot) -> None:
        """Give a free login_slot to the first in line for it, by whichever of its tokens they know it."""
        now = self._clock()
        ready = [account for account in login_slot.accounts.values() if self._is_ready(account, now)]
        called = self._queue.call(ready)
        if called is not None:
            waiter, account = called
            login_slot.is_leased = True
            waiter.grant(Lease(account, self._release))
            if login_slot.replies is not None:
                login_slot.replies.add(now)

    def _pause(self, waiter: Waiter, deadline: float) -> float:
        """Seconds until looking again makes sense. Raises when it never will before the deadline."""
        with self._lock:
            now = self._clock()
            resting = [account for account in waiter.accounts if not account.login_slot.is_leased]
            returns = [account.ready_at(self._pacing, now) for account in resting]
        if len(resting) == len(waiter.accounts) and min(returns) > deadline:
            raise _all_resting(waiter.accounts, min(returns) - now, now)
        if now >= deadline:
            count = len(waiter.accounts)
            raise AccountsBusy(ALL_ANSWERING.fill(count=count), retry_after_seconds=_BUSY_RETRY_SECONDS)
        return max(0.0, min([deadline, *returns]) - now)

    def _tell_place(self, waiter: Waiter, told: int, tell: TellWait) -> int:
        """The place, which is told where it is another one than was `told`."""
        with self._lock:
            place = self._queue.find_place(waiter)
        if place != told:
            tell(Wait("queue", place))
        return place

    def _leave(self, waiter: Waiter) -> None:
        with self._lock:
            self._queue.leave(waiter)
            granted, waiter.granted = waiter.granted, None
        if granted is not None:
            granted.release(Outcome.ABANDONED)

    def _release(self, lease: Lease, outcome: Outcome, error: GatewayError | None) -> None:
        self._counters.note_try(outcome, error)
        with self._lock:
            now = self._clock()
            lease.account.record(outcome, error, now)
            arrived = self._registry.remember([lease.account], now)
            login_slot = lease.login_slot
            login_slot.is_leased = False
            login_slot.last_used = now
            if len(self._queue):
                self._offer(login_slot)
                for account in login_slot.accounts.values() if not login_slot.is_leased else ():
                    self._queue.stir(account)  # it may be ready later than those who wait for it know
        for account in arrived:
            self._on_arrival(account)


def _all_resting(accounts: Sequence[Account], seconds: float, now: float) -> GatewayError:
    states = {account.state(now) for account in accounts}
    if states == {"expired"}:
        labels = [account.label for account in accounts]
        if len(labels) == 1:
            return AccountExpired(TOKEN_REFUSED.fill(account=labels[0]))
        return AccountExpired(ALL_EXPIRED.fill(accounts=", ".join(labels[:_MAX_NAMED])))
    if states <= {"ready", "unknown"}:
        return AccountsBusy(PACE_USED, retry_after_seconds=seconds)
    return UpstreamThrottled(ALL_COOLING, retry_after_seconds=seconds)
