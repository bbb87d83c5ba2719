"""Very much that becomes ready at once is worked on in several rounds of the event loop, in its order."""

from __future__ import annotations

import time
from collections.abc import Iterator

import gevent
import pytest
from gevent.event import Event

from app.hub import Rounds
from app.hub.round import MAX_ROUND_SECONDS

WORKERS = 40


@pytest.fixture
def rounds() -> Iterator[Rounds]:
    rounds = Rounds()
    yield rounds
    assert repr(rounds) == "<Rounds waiting=0>"


def busy(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_others_have_their_turn_between(rounds: Rounds) -> None:
    """Forty work for four milliseconds each, all set off by one event."""
    go, done, turns = Event(), [], []

    def work(number: int) -> None:
        go.wait()
        rounds.enter()
        busy(MAX_ROUND_SECONDS * 0.4)
        done.append(number)

    def look() -> None:
        while True:
            gevent.sleep(0.001)
            turns.append(len(done))

    workers = [gevent.spawn(work, number) for number in range(WORKERS)]
    looker = gevent.spawn(look)
    gevent.sleep(0.01)
    go.set()
    gevent.joinall(workers)
    looker.kill()
    assert sorted(done) == list(range(WORKERS))
    assert len(set(turns) - {0, WORKERS}) >= WORKERS // 8


def test_who_is_interrupted_while_waiting_leaves_no_place(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hub.round.is_round_long", lambda: True)
    monkeypatch.setattr(Rounds, "_admit_soon", lambda self: None)
    waiting = [gevent.spawn(rounds.enter) for _ in range(3)]
    gevent.sleep(0)
    assert repr(rounds) == "<Rounds waiting=3>"
    gevent.killall(waiting)


def test_a_young_round_is_entered_at_once(rounds: Rounds) -> None:
    gevent.sleep(0.001)
    begun = time.monotonic()
    for _ in range(100):
        gevent.sleep(0)
        rounds.enter()
    assert time.monotonic() - begun < 5
