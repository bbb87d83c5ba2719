"""Token checks: answered from memory where that is fresh enough, and trouble is not death."""

from __future__ import annotations

import gc

import pytest

from app.accounts import check as module
from app.accounts.check import TokenChecker
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.accounts.refusal import RefusalLimit
from app.accounts.vault import Vault
from app.auth_token import AccessToken, RefreshedTokens
from app.core.errors import (
    AccessRejected,
    AccountBlocked,
    AccountExpired,
    GatewayError,
    KeyLimited,
    UpstreamThrottled,
    UpstreamUnreachable,
)
from app.state import MEMORY, open_state
from tests.clock import Clock


class Rig:
    """A checker whose upstream knows `alive` and counts who asks."""

    def __init__(self) -> None:
        state, self.clock = open_state(MEMORY), Clock(1_000_000.0)
        self.pool = AccountPool(Logins(state), clock=self.clock)
        refresher = Refresher(self._refresh, Vault(state), self.pool.identify, self.clock)
        refusals = RefusalLimit(self.clock)
        self.checker = TokenChecker(self.pool, refresher, self.clock, refusals)
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


def test_asking_often_asks_the_upstream_once(rig: Rig) -> None:
    for _ in range(5):
        rig.check("alive")
        rig.check("alive", fresh=True)
        rig.clock.now += 9
    assert rig.asked == ["alive"]


def test_a_fresh_answer_is_a_minute_old_at_most(rig: Rig) -> None:
    assert rig.check("alive") == [True]
    rig.alive.clear()
    rig.clock.now += 59
    assert rig.check("alive", fresh=True) == [True]
    rig.clock.now += 2
    assert rig.check("alive") == [True]
    assert rig.check("alive", fresh=True) == [False]


def test_a_token_that_died_is_asked_again_after_a_while(rig: Rig) -> None:
    assert rig.check("alive") == [True]
    rig.clock.now += 90_000
    rig.alive.clear()
    assert rig.check("alive") == [False]
    rig.alive.add("alive")
    rig.clock.now += 599
    assert rig.check("alive") == [False]
    rig.clock.now += 2
    assert rig.check("alive") == [True]


def test_of_a_token_that_was_never_alive_nothing_is_known(rig: Rig) -> None:
    for _ in range(3):
        assert rig.check("dead") == [False]
    assert rig.asked == ["dead"] * 3
    gc.collect()
    assert repr(rig.pool).startswith("<AccountPool accounts=0 ")
    assert not rig.checker._known


def test_thirty_made_up_tokens_a_minute_are_asked_for(rig: Rig) -> None:
    def check(token: str, peer: str | None = "peer") -> bool:
        return rig.checker.check((token,), fresh=True, peer=peer)[0].live

    assert check("alive")
    for number in range(30):
        assert not check(f"dead-{number}")
    with pytest.raises(KeyLimited) as raised:
        check("dead-30")
    assert raised.value.retry_after_seconds == pytest.approx(60, abs=1)
    assert "dead-30" not in rig.asked
    with pytest.raises(KeyLimited):
        check("also")
    rig.clock.now += 59
    assert check("alive"), "it was accepted before"
    assert "also" not in rig.asked
    assert check("also", "other")
    assert not check("dead-31", None)
    rig.clock.now += 2
    assert not check("dead-32")


@pytest.mark.parametrize(
    "trouble", [UpstreamUnreachable("away"), UpstreamThrottled("slowly"), AccountBlocked("no")]
)
def test_trouble_counts_against_nobody(rig: Rig, trouble: GatewayError) -> None:
    rig.trouble = trouble
    for number in range(40):
        with pytest.raises(type(trouble)):
            rig.checker.check((f"any-{number}",), fresh=False, peer="peer")
    rig.trouble = None
    assert rig.checker.check(("alive",), fresh=False, peer="peer")[0].live


def test_a_known_access_token_is_answer_enough(rig: Rig) -> None:
    rig.check("alive")
    rig.clock.now += 601
    assert rig.check("alive") == [True]
    assert rig.asked == ["alive"]


def test_a_dead_account_is_not_used_for_answers(rig: Rig) -> None:
    """Known for dead while a request holds it, or beside one that lives."""
    held = rig.pool.get_or_add(["dead"])
    rig.check("dead")
    with pytest.raises(AccountExpired):
        rig.pool.acquire(held, wait_seconds=1)
    rig.check("alive", "dead-too")
    with pytest.raises(AccountExpired):
        rig.pool.acquire(rig.pool.get_or_add(["dead-too"]), wait_seconds=1)


def test_trouble_is_raised_and_not_remembered(rig: Rig) -> None:
    rig.trouble = UpstreamUnreachable("away")
    with pytest.raises(UpstreamUnreachable):
        rig.check("alive")
    rig.trouble = None
    assert rig.check("alive") == [True]


def test_what_is_remembered_is_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_RESULTS", 3)
    tokens = [f"alive-{number}" for number in range(10)]
    rig.alive.update(tokens)
    rig.check(*tokens)
    rig.clock.now += 10
    rig.asked.clear()
    rig.check(*tokens[:-4:-1], fresh=True)
    assert rig.asked == []
    rig.check(tokens[0], fresh=True)
    assert rig.asked == [tokens[0]]


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (UpstreamThrottled("slowly", retry_after_seconds=60), "cooling"),
        (AccountBlocked("no"), "blocked"),
        (UpstreamUnreachable("away"), "ready"),
    ],
)
def test_an_account_that_is_refused_rests(rig: Rig, trouble: GatewayError, state: str) -> None:
    rig.check("alive")
    rig.clock.now += 90_000
    rig.trouble = trouble
    with pytest.raises(type(trouble)):
        rig.check("alive")
    (account,) = rig.pool.describe(["alive"])
    assert account["state"] == state
