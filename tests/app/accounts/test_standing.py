"""Points and standing: asked when somebody looks, once in ten minutes, a few at a time, not waited for."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from app.accounts import standing
from app.accounts.account import Account, LoginSlot, Pacing
from app.accounts.standing import Standings
from app.auth_token import AccessToken
from app.core.errors import UpstreamUnreachable
from app.core.standing import Standing
from app.upstream.standing import parse_standing
from tests.clock import Clock

GOOD = Standing(20.0, is_blocked=False)
LOOK_SECONDS = standing._LOOK_SECONDS


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine an answer comes late, and is none the worse for that."""
    monkeypatch.setattr(standing, "_LOOK_SECONDS", 30.0)


def make(name: str, *, has_token: bool = True) -> Account:
    token = AccessToken(name, 2e9, "device") if has_token else None
    return Account(name, name, LoginSlot(Pacing()), name, access_token=token)


class Upstream:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Any = GOOD
        self.is_open = threading.Event()
        self.is_open.set()

    def call(self, token: AccessToken) -> Standing:
        self.asked.append(token.value)
        self.is_open.wait(10)
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, Standing)
        return self.answer


def test_it_is_asked_once_in_ten_minutes() -> None:
    upstream, clock = Upstream(), Clock()
    standings = Standings(upstream.call, clock)
    for _ in range(3):
        assert standings.look([make("a"), make("b", has_token=False)]) == [GOOD, None]
    assert upstream.asked == ["a"]
    clock.now += 600
    standings.look([make("a")])
    assert upstream.asked == ["a", "a"]


@pytest.mark.parametrize("answer", [GOOD, UpstreamUnreachable("away")])
def test_what_is_remembered_is_bounded(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts whose calls always fail are forgotten as well."""
    monkeypatch.setattr(standing, "_MAX_KNOWN", 5)
    upstream = Upstream()
    upstream.answer = answer
    standings = Standings(upstream.call)
    for number in range(20):
        standings.look([make(f"a{number}")])
    assert len(standings._asked_at) == 5
    assert len(standings._known) <= 5


def test_two_tokens_of_one_login_are_asked_once() -> None:
    upstream = Upstream()
    account = make("a")
    assert Standings(upstream.call).look([account, account]) == [GOOD, GOOD]
    assert upstream.asked == ["a"]


def test_what_failed_is_not_asked_at_once_and_what_was_known_stays() -> None:
    upstream, clock = Upstream(), Clock()
    standings = Standings(upstream.call, clock)
    standings.look([make("a")])
    clock.now += 600
    upstream.answer = UpstreamUnreachable("no")
    for _ in range(2):
        assert standings.look([make("a")]) == [GOOD]
    assert upstream.asked == ["a", "a"]


def test_only_a_few_are_asked_at_a_time_and_nobody_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "_LOOK_SECONDS", LOOK_SECONDS)
    upstream, clock = Upstream(), Clock()
    upstream.is_open.clear()
    accounts = [make(f"a{number}") for number in range(20)]
    standings = Standings(upstream.call, _Passing(clock))
    try:
        assert standings.look(accounts) == [None] * 20
        assert len(upstream.asked) <= 4
    finally:
        upstream.is_open.set()


class _Passing:
    """A clock by which a second passes between two looks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self) -> float:
        self._clock.now += 1.0
        return self._clock.now


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"member_info": {"left_score": "2000.00"}, "block_info": None}, Standing(20.0, is_blocked=False)),
        ({"member_info": {"left_score": 10000}, "block_info": {}}, Standing(100.0, is_blocked=False)),
        ({"member_info": {}, "block_info": {"reason": "x"}}, Standing(None, is_blocked=True)),
        ({"member_info": None}, Standing(None, None)),
        ({"member_info": {"left_score": "many"}}, Standing(None, None)),
        ({"member_info": {"left_score": "nan"}}, Standing(None, None)),
        ({"member_info": {"left_score": "9" * 400}}, Standing(None, None)),
        ({"member_info": {"left_score": True}}, Standing(None, None)),
        ([], Standing(None, None)),
        (None, Standing(None, None)),
    ],
)
def test_a_profile_in_any_shape(result: object, expected: Standing) -> None:
    """Protocol notes 0.2 row 20."""
    assert parse_standing(result) == expected
