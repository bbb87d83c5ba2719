"""Token checks: answered from memory where that is fresh enough, and trouble is not death."""

from __future__ import annotations

import pytest

from app.accounts import check as module
from app.accounts.check import TokenChecker
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.accounts.vault import Vault
from app.errors import (
    AccessRejected,
    AccountBlocked,
    AccountExpired,
    GatewayError,
    UpstreamThrottled,
    UpstreamUnreachable,
)
from app.state import MEMORY, open_state
from app.token import AccessToken, RefreshedTokens
from tests.clock import Clock


class Rig:
    """A checker whose upstream knows `alive` and counts who asks."""

    def __init__(self) -> None:
        state, self.clock = open_state(MEMORY), Clock(1_000_000.0)
        self.pool = AccountPool(Logins(state), clock=self.clock)
        refresher = Refresher(self._refresh, Vault(state), self.pool.identify, self.clock)
        self.checker = TokenChecker(self.pool, refresher, self.clock)
        self.alive = {"alive", "also"}
        self.trouble: GatewayError | None = None
        self.asked: list[str] = []

    def _refresh(self, token: str) -> RefreshedTokens:
        self.asked.append(token)
        if self.trouble is not None:
            raise self.trouble
        if token not in self.alive:
            raise AccessRejected("no")
        return RefreshedTokens(AccessToken("access", self.clock.now + 86400, "device"))

    def check(self, *tokens: str, fresh: bool = False) -> list[bool]:
        return [check.live for check in self.checker.check(tokens, fresh=fresh)]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_one_answer_a_token_in_order(rig: Rig) -> None:
    assert rig.check("alive", "dead", "also") == [True, False, True]
    dead = rig.checker.check(("dead",), fresh=False)[0]
    assert (dead.reason, len(dead.label)) == ("expired", 8)
    assert "dead" not in dead.label


@pytest.mark.parametrize("token", ["alive", "dead"])
def test_asking_often_asks_the_upstream_once(rig: Rig, token: str) -> None:
    for _ in range(5):
        rig.check(token)
        rig.check(token, fresh=True)
        rig.clock.now += 9
    assert rig.asked == [token]


def test_a_fresh_answer_is_a_minute_old_at_most(rig: Rig) -> None:
    assert rig.check("alive") == [True]
    rig.alive.clear()
    rig.clock.now += 59
    assert rig.check("alive", fresh=True) == [True]
    rig.clock.now += 2
    assert rig.check("alive") == [True]
    assert rig.check("alive", fresh=True) == [False]


def test_a_dead_token_is_asked_again_after_a_while(rig: Rig) -> None:
    assert rig.check("dead") == [False]
    rig.alive.add("dead")
    rig.clock.now += 599
    assert rig.check("dead") == [False]
    rig.clock.now += 2
    assert rig.check("dead") == [True]


def test_a_known_access_token_is_answer_enough(rig: Rig) -> None:
    rig.check("alive")
    rig.clock.now += 601
    assert rig.check("alive") == [True]
    assert rig.asked == ["alive"]


def test_a_dead_account_is_not_used_for_answers(rig: Rig) -> None:
    rig.check("dead")
    with pytest.raises(AccountExpired):
        rig.pool.acquire(rig.pool.find(["dead"]), wait_seconds=1)


def test_trouble_is_raised_and_not_remembered(rig: Rig) -> None:
    rig.trouble = UpstreamUnreachable("away")
    with pytest.raises(UpstreamUnreachable):
        rig.check("alive")
    rig.trouble = None
    assert rig.check("alive") == [True]


def test_what_is_remembered_is_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_RESULTS", 3)
    rig.check(*(f"dead-{number}" for number in range(10)))
    rig.asked.clear()
    rig.check("dead-9", "dead-8", "dead-7")
    assert rig.asked == []
    rig.clock.now += 60
    rig.check("dead-0")
    assert rig.asked == ["dead-0"]


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (UpstreamThrottled("slowly", retry_after_seconds=60), "cooling"),
        (AccountBlocked("no"), "blocked"),
        (UpstreamUnreachable("away"), "unknown"),
    ],
)
def test_an_account_that_is_refused_rests(rig: Rig, trouble: GatewayError, state: str) -> None:
    rig.trouble = trouble
    with pytest.raises(type(trouble)):
        rig.check("alive")
    (account,) = rig.pool.describe(["alive"])
    assert account["state"] == state
