"""Which accounts are known beyond the requests that name them."""

from __future__ import annotations

import gc

import pytest

from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.auth_token import AccessToken
from app.core.errors import AccountExpired, Outcome
from app.state import MEMORY, open_state
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def pool(clock: Clock) -> AccountPool:
    return AccountPool(Logins(open_state(MEMORY)), clock=clock)


def accept(pool: AccountPool, tokens: list[str]) -> None:
    """As when the upstream has given each an access token."""
    accounts = pool.get_or_add(tokens)
    for account in accounts:
        account.access_token = AccessToken("access", 0.0, "device")
    pool.remember(accounts)


def test_unused_accounts_are_forgotten(pool: AccountPool, clock: Clock) -> None:
    accept(pool, [f"token-{number}" for number in range(100)])
    clock.now += 90_000
    accept(pool, ["new"])
    gc.collect()
    assert "accounts=1 " in repr(pool)
    assert len(pool.owners()) == 1


def test_a_flood_of_tokens_is_not_remembered(clock: Clock) -> None:
    pool = AccountPool(Logins(open_state(MEMORY)), clock=clock)
    for start in range(0, 30_000, 200):
        accept(pool, [f"flood-{start + number}" for number in range(200)])
    gc.collect()
    assert "accounts=10000 " in repr(pool)
    assert len(pool.owners()) == 10_000


def test_what_the_upstream_never_accepted_leaves_nothing(pool: AccountPool) -> None:
    accounts = pool.get_or_add(["made", "up"])
    is_same = pool.get_or_add(["made"])[0] is accounts[0]
    assert is_same, "one account while anybody holds it"
    for account in accounts:
        pool.cool(account, Outcome.REJECTED, AccountExpired("dead"))
    del account, accounts
    gc.collect()
    assert repr(pool).startswith("<AccountPool accounts=0 ")
    assert pool.owners() == []
    assert [account["state"] for account in pool.describe(["made", "up"])] == ["unknown", "unknown"]


def test_what_came_with_an_accepted_one_is_kept_beside_it(clock: Clock) -> None:
    """So that the dead token of a list costs its cool-down, and not a refusal a request."""
    pool = AccountPool(Logins(open_state(MEMORY)), clock=clock)
    accept(pool, ["real"])
    for start in range(0, 4000, 100):
        pool.get_or_add(["real", *(f"beside-{start + number}" for number in range(100))])
    gc.collect()
    assert "accounts=1001 " in repr(pool), "and within a bound of their own"
    assert pool.knows_any(["beside-3999", "real"])
    assert not pool.knows_any(["beside-3999", "other"])


def test_configured_and_identified_accounts_are_kept(clock: Clock) -> None:
    state = open_state(MEMORY)
    pool = AccountPool(Logins(state), clock=clock, is_configured={"ours"}.__contains__)
    pool.get_or_add(["ours"])
    (other,) = pool.get_or_add(["other"])
    pool.identify(other, "user")
    del other
    gc.collect()
    assert "accounts=2 " in repr(pool)
    later = AccountPool(Logins(state), clock=clock)
    later.get_or_add(["other"])
    gc.collect()
    assert "accounts=1 " in repr(later), "its login is known from before"
