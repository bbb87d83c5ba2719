"""Leases: one reply at a time per login, the longest unused first, callers in order."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.accounts import pool as module
from app.accounts.account import Account, Pacing
from app.accounts.lease import Lease
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.queue import Waiter
from app.core.errors import AccountExpired, AccountsBusy, LoginAnswering, Outcome, UpstreamThrottled
from app.state import MEMORY, open_state
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def pool(clock: Clock) -> AccountPool:
    return AccountPool(Logins(open_state(MEMORY)), clock=clock, queue_length=3)


def wait_in_thread(pool: AccountPool, accounts: list[Account]) -> tuple[threading.Thread, list[Lease]]:
    """Somebody who waits in line; returns once they stand there."""
    granted: list[Lease] = []
    before = repr(pool)
    thread = threading.Thread(
        target=lambda: granted.append(pool.acquire(accounts, wait_seconds=5)), daemon=True
    )
    thread.start()
    while repr(pool) == before and thread.is_alive():
        thread.join(0.001)
    return thread, granted


def test_the_longest_unused_comes_first(pool: AccountPool, clock: Clock) -> None:
    accounts = pool.get_or_add(["a", "b", "c"])
    used = []
    for _ in range(6):
        lease = pool.acquire(accounts, wait_seconds=0)
        used.append(lease.account)
        clock.now += 1
        lease.release(Outcome.OK)
    assert used == accounts * 2


def test_one_token_is_one_account_in_every_list(pool: AccountPool) -> None:
    (a, b), (b_again, _) = pool.get_or_add(["a", "b"]), pool.get_or_add(["b", "c"])
    assert b is b_again
    lease = pool.acquire([b], wait_seconds=0)
    assert pool.leased == 1
    with pytest.raises(AccountsBusy):
        pool.acquire([b_again], wait_seconds=0)
    other = pool.acquire([a, b], wait_seconds=0)
    assert other.account is a
    lease.release(Outcome.OK)
    again = pool.acquire([b], wait_seconds=0)
    lease.release(Outcome.OK)  # twice: the first outcome counts
    assert pool.leased == 2
    other.release(Outcome.OK)
    again.release(Outcome.OK)


def test_first_come_first_served(pool: AccountPool) -> None:
    accounts = pool.get_or_add(["a"])
    lease = pool.acquire(accounts, wait_seconds=0)
    waiting = [wait_in_thread(pool, accounts) for _ in range(3)]
    for thread, granted in waiting:
        assert not any(other for _, other in waiting if other is not granted and other)
        lease.release(Outcome.OK)
        thread.join(5)
        lease = granted.pop()
    lease.release(Outcome.OK)
    assert "waiting=0" in repr(pool)


def test_a_full_queue_says_so_at_once(pool: AccountPool) -> None:
    accounts = pool.get_or_add(["a"])
    lease = pool.acquire(accounts, wait_seconds=0)
    waiting = [wait_in_thread(pool, accounts) for _ in range(3)]
    with pytest.raises(AccountsBusy):
        pool.acquire(accounts, wait_seconds=5)
    for thread, granted in waiting:
        lease.release(Outcome.OK)
        thread.join(5)
        lease = granted.pop()
    lease.release(Outcome.OK)


def test_a_full_queue_keeps_nobody_from_an_account_that_is_free(pool: AccountPool) -> None:
    """Those who wait want a certain one, for a conversation of theirs."""
    busy, free = pool.get_or_add(["busy", "free"])
    lease = pool.acquire([busy], wait_seconds=0)
    waiting = [wait_in_thread(pool, [busy]) for _ in range(3)]
    other = pool.acquire([busy, free], wait_seconds=5)
    assert other.account is free
    with pytest.raises(AccountsBusy, match="More than 3"):
        pool.acquire([busy, free], wait_seconds=5)
    other.release(Outcome.OK)
    for thread, granted in waiting:
        lease.release(Outcome.OK)
        thread.join(5)
        lease = granted.pop()
    lease.release(Outcome.OK)
    assert "waiting=0" in repr(pool)


@pytest.mark.parametrize(
    ("outcome", "build", "expected"),
    [
        (Outcome.REJECTED, AccountExpired, AccountExpired),
        (Outcome.RATE_LIMITED, UpstreamThrottled, UpstreamThrottled),
    ],
)
def test_cooling_down_and_coming_back(
    pool: AccountPool,
    clock: Clock,
    outcome: Outcome,
    build: Callable[[str], AccountExpired | UpstreamThrottled],
    expected: type[Exception],
) -> None:
    accounts = pool.get_or_add(["a"])
    pool.acquire(accounts, wait_seconds=0).release(outcome, build("no"))
    with pytest.raises(expected):
        pool.acquire(accounts, wait_seconds=1)
    first = accounts[0].cooling_until - clock.now
    clock.now = accounts[0].cooling_until
    pool.acquire(accounts, wait_seconds=0).release(outcome, build("no"))
    assert accounts[0].cooling_until - clock.now > first * 1.5


def test_two_tokens_of_one_login_share_a_seat(pool: AccountPool) -> None:
    one, two = pool.get_or_add(["one", "two"])
    lease = pool.acquire([one], wait_seconds=0)
    pool.identify(one, "user")
    lease.confirm()
    other = pool.acquire([two], wait_seconds=0)
    pool.identify(two, "user")
    with pytest.raises(LoginAnswering):
        other.confirm()
    other.release(Outcome.ABANDONED)
    assert one.owner == two.owner
    with pytest.raises(AccountsBusy):
        pool.acquire([one], wait_seconds=0)
    lease.release(Outcome.OK)
    assert pool.leased == 0


def test_a_login_is_known_after_a_restart(clock: Clock) -> None:
    state = open_state(MEMORY)
    before = AccountPool(Logins(state), clock=clock)
    (account,) = before.get_or_add(["one"])
    before.identify(account, "user")
    (again,) = AccountPool(Logins(state), clock=clock).get_or_add(["one"])
    assert again.owner == account.owner != again.key


def test_pacing(clock: Clock) -> None:
    pool = AccountPool(Logins(open_state(MEMORY)), pacing=Pacing(10, 2), clock=clock)
    accounts = pool.get_or_add(["a"])
    pool.acquire(accounts, wait_seconds=0).release(Outcome.OK)
    with pytest.raises(AccountsBusy):
        pool.acquire(accounts, wait_seconds=5)
    clock.now += 10
    pool.acquire(accounts, wait_seconds=0).release(Outcome.OK)
    clock.now += 10
    with pytest.raises(AccountsBusy) as raised:
        pool.acquire(accounts, wait_seconds=5)
    assert raised.value.retry_after_seconds == pytest.approx(3580)


def test_the_owner_of_a_conversation_is_an_account_that_works(pool: AccountPool, clock: Clock) -> None:
    one, two = pool.get_or_add(["one", "two"])
    assert pool.find_owner(one.owner) is one
    assert pool.find_owner("nobody") is None
    for account in (one, two):
        pool.identify(account, "user")
    pool.cool(one, Outcome.REJECTED, AccountExpired("dead"))
    assert pool.find_owner(one.owner) is two
    pool.cool(two, Outcome.REJECTED, AccountExpired("dead"))
    assert pool.find_owner(one.owner) is None
    clock.now += 100_000
    assert pool.find_owner(one.owner) in (one, two)


def test_accounts_are_described_without_secrets(pool: AccountPool) -> None:
    (shown,) = pool.describe(["secret-token"])
    assert shown["state"] == "unknown"
    assert "secret" not in repr(shown) + repr(pool) + repr(pool.get_or_add(["secret-token"]))


def test_forgetting_an_account_never_makes_two_of_it(clock: Clock) -> None:
    """Held by a lease, by a queue, or by a request that has only looked it up."""
    pool = AccountPool(Logins(open_state(MEMORY)), clock=clock)
    (answering,) = pool.get_or_add(["answering"])
    lease = pool.acquire([answering], wait_seconds=0)
    (looked_up,) = pool.get_or_add(["looked-up"])
    clock.now += 100_000
    pool.get_or_add([f"flood-{number}" for number in range(10_001)])
    assert pool.get_or_add(["answering", "looked-up"]) == [answering, looked_up]
    with pytest.raises(AccountsBusy):
        pool.acquire(pool.get_or_add(["answering"]), wait_seconds=0)
    lease.release(Outcome.OK)
    pool.acquire(pool.get_or_add(["answering"]), wait_seconds=0).release(Outcome.OK)


def test_the_login_becomes_known_between_the_turn_and_its_use(
    pool: AccountPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was given is held and given back, not the login_slot that the account has by then."""
    one, two = pool.get_or_add(["one", "two"])
    pool.identify(one, "user")
    answering = pool.acquire([one], wait_seconds=0)
    first = pool.acquire([two], wait_seconds=0)

    class TurnedLate(Waiter):
        def __init__(self, accounts: list[Account], caller: str) -> None:
            super().__init__(accounts, caller)
            self.turn.wait = self._turn_late  # type: ignore[method-assign]

        def _turn_late(self, timeout: float | None = None) -> bool:
            first.release(Outcome.OK)
            pool.identify(two, "user")
            return True

    monkeypatch.setattr(module, "Waiter", TurnedLate)
    late = pool.acquire([two], wait_seconds=5)
    with pytest.raises(LoginAnswering):
        late.confirm()
    late.release(Outcome.ABANDONED)
    assert pool.leased == 1
    answering.release(Outcome.OK)


def test_accounts_are_counted_by_their_state(pool: AccountPool, clock: Clock) -> None:
    answering, dead, _new = accounts = pool.get_or_add("abc")
    lease = pool.acquire([answering], wait_seconds=0)
    pool.acquire([dead], wait_seconds=0).release(Outcome.REJECTED, AccountExpired("dead"))
    nobody = dict.fromkeys(("ready", "cooling", "blocked"), 0)
    assert pool.count_states() == nobody | {"answering": 1, "expired": 1, "unknown": 1}
    lease.release(Outcome.OK)
    clock.now += 3700
    assert pool.count_states() == nobody | {"answering": 0, "expired": 0, "unknown": len(accounts)}
