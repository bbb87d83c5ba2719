"""The breaker says no while the upstream is down for everybody, and looks again with growing pauses."""

from __future__ import annotations

import pytest

from app.accounts.breaker import Breaker
from app.core.errors import UpstreamBusy
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(2, clock)


def refused_for(breaker: Breaker) -> float:
    """Seconds until the next probe."""
    with pytest.raises(UpstreamBusy) as raised:
        breaker.check()
    assert raised.value.retry_after_seconds
    return raised.value.retry_after_seconds


def test_it_opens_probes_and_closes(breaker: Breaker, clock: Clock) -> None:
    breaker.record_failure()
    breaker.check()
    breaker.record_failure()
    clock.now += refused_for(breaker)
    breaker.check()  # the probe
    refused_for(breaker)
    breaker.record_success()
    breaker.check()


def test_probes_that_fail_come_less_and_less_often(breaker: Breaker, clock: Clock) -> None:
    breaker.record_failure()
    breaker.record_failure()
    pauses = []
    for _ in range(8):
        pauses.append(refused_for(breaker))
        clock.now += pauses[-1]
        breaker.check()
        breaker.record_failure()
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_many_that_fail_together_are_one_reason_to_pause(breaker: Breaker) -> None:
    """They all began before it opened, and say nothing about how long the upstream will be away."""
    for _ in range(50):
        breaker.record_failure()
    assert refused_for(breaker) == 1


def test_it_opens_anew_with_the_first_pause(breaker: Breaker, clock: Clock) -> None:
    for _ in range(2):
        breaker.record_failure()
        breaker.record_failure()
        assert refused_for(breaker) == 1
        clock.now += 1
        breaker.check()
        breaker.record_success()


def test_a_probe_that_says_nothing_is_followed_by_another(breaker: Breaker, clock: Clock) -> None:
    """Its client may have left."""
    breaker.record_failure()
    breaker.record_failure()
    clock.now += 1
    breaker.check()
    clock.now += refused_for(breaker)
    breaker.check()
