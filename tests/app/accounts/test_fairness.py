"""The queue under overlapping lists, interruptions and many threads."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from app.accounts import pool as module
from app.accounts.account import Account, LoginSlot
from app.accounts.lease import Lease
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.queue import Waiter
from app.core.errors import AccountsBusy, GatewayError, Outcome, UpstreamThrottled
from app.hub import ClientGone
from app.state import MEMORY, open_state
from tests.clock import Clock


class Rig:
    """A pool whose clock stands still, and people who wait for its accounts in threads."""

    def __init__(self) -> None:
        self.clock = Clock(1000.0)
        self.pool = AccountPool(Logins(open_state(MEMORY)), clock=self.clock, queue_length=3)

    def take(self, *accounts: Account) -> Lease:
        return self.pool.acquire(accounts, wait_seconds=0)

    def queue(self, *accounts: Account, caller: str = "") -> Future[Lease]:
        """Somebody stands in line when this returns."""
        before = waiting(self.pool)
        future: Future[Lease] = Future()

        def wait() -> None:
            try:
                future.set_result(self.pool.acquire(accounts, wait_seconds=1e6, caller=caller))
            except GatewayError as error:
                future.set_exception(error)

        threading.Thread(target=wait, daemon=True).start()
        while waiting(self.pool) == before and not future.done():
            time.sleep(0.001)
        return future


def waiting(pool: AccountPool) -> int:
    return int(repr(pool).partition("waiting=")[2].rstrip(">"))


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    assert waiting(rig.pool) == rig.pool.leased == 0


def test_who_waits_for_something_else_is_no_obstacle(rig: Rig) -> None:
    a, b = rig.pool.get_or_add(["a", "b"])
    of_a, of_b = rig.take(a), rig.take(b)
    first, second = rig.queue(a), rig.queue(a, b)
    of_b.release(Outcome.OK)
    got_b = second.result(5)
    assert got_b.account is b
    assert not first.done()
    of_a.release(Outcome.OK)
    got_a = first.result(5)
    assert got_a.account is a
    for lease in (got_a, got_b):
        lease.release(Outcome.OK)


def test_who_could_take_either_keeps_the_place_for_both(rig: Rig) -> None:
    a, b = rig.pool.get_or_add(["a", "b"])
    of_a, of_b = rig.take(a), rig.take(b)
    first, second = rig.queue(a, b), rig.queue(a)
    of_a.release(Outcome.OK)
    got = first.result(5)
    assert got.account is a
    assert not second.done()
    of_b.release(Outcome.OK)
    assert not second.done()
    got.release(Outcome.OK)
    second.result(5).release(Outcome.OK)


def test_nobody_overtakes_the_line(rig: Rig) -> None:
    """A newcomer does not get the account that has just come back, if somebody else waits for it."""
    (a,) = rig.pool.get_or_add(["a"])
    rig.take(a).release(Outcome.RATE_LIMITED, UpstreamThrottled("slow down"))
    first = rig.queue(a)
    rig.clock.now += 100
    with pytest.raises(AccountsBusy):
        rig.take(a)
    lease = first.result(5)
    assert lease.account is a
    lease.release(Outcome.OK)


def test_one_login_is_not_given_away_twice_at_once(rig: Rig) -> None:
    """Two of its tokens become ready in the same moment, for two people."""
    one, two = rig.pool.get_or_add(["one", "two"])
    for account in (one, two):
        rig.pool.identify(account, "user")
    rig.take(one).release(Outcome.RATE_LIMITED, UpstreamThrottled("slow down"))
    first = rig.queue(one)
    rig.clock.now += 100
    with pytest.raises(AccountsBusy):
        rig.take(one, two)
    lease = first.result(5)
    assert rig.pool.leased == 1
    lease.release(Outcome.OK)


def test_queues_of_callers_do_not_fill_each_other(rig: Rig) -> None:
    (a,) = rig.pool.get_or_add(["a"])
    lease = rig.take(a)
    line = [rig.queue(a, caller="greedy") for _ in range(3)]
    with pytest.raises(AccountsBusy, match="More than 3"):
        rig.pool.acquire([a], wait_seconds=0, caller="greedy")
    line.append(rig.queue(a, caller="modest"))
    for waiter in line:
        lease.release(Outcome.OK)
        lease = waiter.result(5)
    lease.release(Outcome.OK)


class InterruptedTurn(threading.Event):
    """Interrupts the wait, after something has happened meanwhile."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def wait(self, timeout: float | None = None) -> bool:
        self._meanwhile()
        raise ClientGone


def interrupt(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """From now on whoever waits is interrupted."""

    def build(*args: object) -> Waiter:
        waiter = Waiter(*args)  # type: ignore[arg-type]
        waiter.turn = InterruptedTurn(meanwhile)
        return waiter

    monkeypatch.setattr(module, "Waiter", build)


def test_who_goes_away_leaves_the_line(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    (a,) = rig.pool.get_or_add(["a"])
    lease = rig.take(a)
    interrupt(monkeypatch, lambda: None)
    with pytest.raises(ClientGone):
        rig.pool.acquire([a], wait_seconds=60)
    assert waiting(rig.pool) == 0
    lease.release(Outcome.OK)
    assert rig.pool.leased == 0


def test_who_goes_away_with_an_account_in_hand_hands_it_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account is granted in the same moment: it goes to the next in line, and is none the worse."""
    (a,) = rig.pool.get_or_add(["a"])
    lease = rig.take(a)
    heirs: list[Future[Lease]] = []

    def meanwhile() -> None:
        monkeypatch.undo()
        heirs.append(rig.queue(a))
        lease.release(Outcome.OK)
        assert not heirs[0].done()

    interrupt(monkeypatch, meanwhile)
    with pytest.raises(ClientGone):
        rig.pool.acquire([a], wait_seconds=60)
    inherited = heirs[0].result(5)
    assert inherited.account.cooling_until == 0
    inherited.release(Outcome.OK)


def test_the_time_to_wait_is_kept() -> None:
    pool = AccountPool(Logins(open_state(MEMORY)))
    (a,) = pool.get_or_add(["a"])
    lease = pool.acquire([a], wait_seconds=0)
    begun = time.monotonic()
    with pytest.raises(AccountsBusy) as raised:
        pool.acquire([a], wait_seconds=0.1)
    assert 0.1 <= time.monotonic() - begun < 8
    assert raised.value.retry_after_seconds
    assert waiting(pool) == 0
    lease.release(Outcome.OK)


def test_many_threads_never_share_a_login() -> None:
    pool = AccountPool(Logins(open_state(MEMORY)), queue_length=100)
    accounts = pool.get_or_add(["a", "b", "b2", "c"])
    for account in accounts[1:3]:
        pool.identify(account, "b")
    used: Counter[LoginSlot] = Counter()
    violations: list[Account] = []

    def answer(number: int) -> None:
        chosen = accounts[number % 3 :] + accounts[: number % 2]
        lease = pool.acquire(chosen, wait_seconds=20)
        used[lease.login_slot] += 1
        if used[lease.login_slot] > 1:
            violations.append(lease.account)
        time.sleep(0.0002)
        used[lease.login_slot] -= 1
        lease.release(Outcome.OK)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(answer, range(400)))
    assert violations == []
    assert sum(account.replies for account in accounts) == 400
    assert min(account.replies for account in accounts if account is not accounts[2]) > 50
    assert repr(pool) == "<AccountPool accounts=4 leased=0 waiting=0>"
