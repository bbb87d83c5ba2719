"""Several tokens of one login: one slot, one owner of conversations, and all of it again after a restart."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.accounts.account import Account
from app.accounts.lease import Lease
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.auth_token import AccessToken
from app.core.errors import AccountsBusy, LoginAnswering, Outcome
from app.state import MEMORY, State, open_state


@pytest.fixture
def state() -> State:
    return open_state(MEMORY)


@pytest.fixture
def pool(state: State) -> AccountPool:
    return AccountPool(Logins(state))


def take(pool: AccountPool, token: str) -> Lease:
    return pool.acquire(pool.get_or_add([token]), wait_seconds=0)


def test_one_seat_for_two_tokens(pool: AccountPool) -> None:
    one, two = pool.get_or_add(["one", "two"])
    pool.identify(one, "user")
    pool.identify(two, "user")
    assert one.login_slot is two.login_slot
    assert one.owner == two.owner
    lease = take(pool, "one")
    with pytest.raises(AccountsBusy):
        take(pool, "two")
    lease.release(Outcome.OK)
    take(pool, "two").release(Outcome.OK)


def test_two_logins_stay_two(pool: AccountPool) -> None:
    one, two = pool.get_or_add(["one", "two"])
    pool.identify(one, "user")
    pool.identify(two, "somebody else")
    first, second = take(pool, "one"), take(pool, "two")
    assert pool.leased == 2
    first.release(Outcome.OK)
    second.release(Outcome.OK)


def test_a_lease_follows_its_account_to_a_free_seat(pool: AccountPool) -> None:
    """The second token's login is learnt while it is leased, and the login is free."""
    one, _ = pool.get_or_add(["one", "two"])
    pool.identify(one, "user")
    lease = take(pool, "two")
    pool.identify(lease.account, "user")
    lease.confirm()
    with pytest.raises(AccountsBusy):
        take(pool, "one")
    lease.release(Outcome.OK)
    take(pool, "one").release(Outcome.OK)
    assert pool.leased == 0


def test_a_lease_that_turns_out_to_be_the_second_one_gives_up(pool: AccountPool) -> None:
    first = take(pool, "one")
    pool.identify(first.account, "user")
    second = take(pool, "two")
    pool.identify(second.account, "user")
    with pytest.raises(LoginAnswering):
        second.confirm()
    second.release(Outcome.ABANDONED)
    assert pool.leased == 1  # the release of the refused lease does not free the login_slot of the other
    with pytest.raises(AccountsBusy):
        take(pool, "one")
    first.release(Outcome.OK)
    assert pool.leased == 0


def test_identifying_twice_changes_nothing(pool: AccountPool) -> None:
    (one,) = pool.get_or_add(["one"])
    pool.identify(one, "user")
    login_slot = one.login_slot
    pool.identify(one, "user")
    assert one.login_slot is login_slot
    assert list(login_slot.accounts.values()) == [one]


def test_a_restart_knows_the_login_before_any_refresh(state: State, pool: AccountPool) -> None:
    for account in pool.get_or_add(["one", "two"]):
        pool.identify(account, "user")
    again = AccountPool(Logins(state))
    one, two = again.get_or_add(["two", "one"])
    assert one.login_slot is two.login_slot
    lease = take(again, "one")
    with pytest.raises(AccountsBusy):
        take(again, "two")
    lease.release(Outcome.OK)


def test_one_line_for_all_tokens_of_a_login(pool: AccountPool) -> None:
    """Who knows the login by another token is not passed by."""
    one, two = pool.get_or_add(["one", "two"])
    pool.identify(one, "user")
    pool.identify(two, "user")
    lease, order = take(pool, "one"), list[str]()

    def wait(token: str) -> None:
        got = pool.acquire(pool.get_or_add([token]), wait_seconds=5)
        order.append(token)
        got.release(Outcome.OK)

    with ThreadPoolExecutor(4) as threads:
        for place, token in enumerate(["two", "one", "two", "one"], 1):
            threads.submit(wait, token)
            while f"waiting={place}" not in repr(pool):
                time.sleep(0.001)
        lease.release(Outcome.OK)
    assert order == ["two", "one", "two", "one"]


def test_only_digests_are_kept(state: State, pool: AccountPool) -> None:
    (account,) = pool.get_or_add(["secret-token"])
    pool.identify(account, "secret-user")
    assert "secret" not in repr(state.run("SELECT * FROM login"))


def test_whoever_shows_up_is_announced_once_accepted() -> None:
    """Nothing is done for a token that may be made up."""
    arrived: list[Account] = []
    state = open_state(MEMORY)
    pool = AccountPool(Logins(state), on_arrival=arrived.append, is_configured={"ours"}.__contains__)
    one, two, ours = pool.get_or_add(["one", "two", "ours"])
    pool.get_or_add(["two", "one", "ours"])
    assert arrived == [ours]
    one.access_token = AccessToken("access", 0.0, "device")
    for _ in range(2):
        pool.remember([one, two])
        pool.get_or_add(["two", "one"])
    assert arrived == [ours, one]
    pool.identify(two, "user")
    assert arrived == [ours, one, two]
    later = AccountPool(Logins(state), on_arrival=arrived.append)
    assert later.get_or_add(["one", "two"])[1:] == arrived[3:]
