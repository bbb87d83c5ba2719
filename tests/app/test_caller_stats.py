"""The hour that is watched: sums, bounds, forgetting."""

from __future__ import annotations

from app.caller_stats import CallerStats, Sample
from tests.clock import Clock


def test_a_half_minute_is_summed_up() -> None:
    history = CallerStats(Clock(1_000_020.0)).of("ann")
    for sample in (Sample("ok", 0.2, 20, 2.0), Sample("ok", 0.4, 10, 1.0), Sample("upstream_busy")):
        history.begin()
        history.end(sample, queued=2)
    assert history.describe() == [
        {
            "at": 1_000_020,
            "requests": 3,
            "first_delta_seconds": 0.3,
            "frames_per_second": 10.0,
            "open": 1,
            "queued": 2,
            "errors": {"upstream_busy": 1},
        }
    ]
    assert history.open == 0


def test_only_what_changed_is_told_again_and_an_hour_is_kept() -> None:
    clock = Clock(1_000_020.0)
    history = CallerStats(clock).of("ann")
    for _ in range(200):
        history.begin()
        history.end(Sample("ok"), queued=0)
        clock.now += 30
    assert len(history.describe()) == 119
    assert len(history.describe(clock.now - 30)) == 1


def test_callers_are_kept_apart_bounded_and_forgotten() -> None:
    clock = Clock(1_000_020.0)
    traffic = CallerStats(clock)
    ann, bob = traffic.of("ann"), traffic.of("bob")
    ann.begin()
    assert (traffic.of("ann"), traffic.of("bob")) == (ann, bob)
    assert (ann.open, bob.open) == (1, 0)
    for number in range(1000):
        traffic.keep(str(number), traffic.of(str(number)))
    assert repr(traffic) == "<CallerStats callers=256>"
    assert traffic.of("999") is traffic.of("999")
    clock.now += 4000
    traffic.keep("late", traffic.of("late"))
    assert repr(traffic) == "<CallerStats callers=1>"


def test_who_is_not_kept_is_forgotten_with_the_last_who_holds_it() -> None:
    traffic = CallerStats(Clock(1_000_020.0))
    watched = traffic.of("made-up")
    traffic.of("made-up").begin()
    assert watched.open == 1
    del watched
    assert traffic.of("made-up").open == 0
    assert repr(traffic) == "<CallerStats callers=0>"


def test_the_newest_watchers_stay() -> None:
    history = CallerStats(Clock(1_000_020.0)).of("ann")
    tickets = [history.take_ticket() for _ in range(6)]
    assert [history.is_valid(ticket) for ticket in tickets] == [False, False, True, True, True, True]
