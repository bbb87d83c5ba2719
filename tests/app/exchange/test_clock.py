"""How much of the time for all accounts is left, and when it stands still."""

from __future__ import annotations

import gevent
import pytest

from app.core.errors import UpstreamTimeout
from app.exchange.clock import StartClock
from tests.clock import Clock


def test_time_is_used_up_and_never_negative() -> None:
    time = Clock(100.0)
    clock = StartClock(50, time)
    assert (clock.ends_at, clock.left_seconds) == (150, 50)
    time.now += 49
    assert clock.left_seconds == 1
    time.now += 2
    assert clock.left_seconds == 0


def test_the_clock_stands_still_for_files_also_where_they_fail() -> None:
    time = Clock(100.0)
    clock = StartClock(50, time)
    time.now += 10
    with clock.stopped():
        time.now += 300
    assert (clock.ends_at, clock.left_seconds) == (450, 40)

    def fetch() -> None:
        time.now += 5
        raise OSError("away")

    with pytest.raises(OSError, match="away"), clock.stopped():
        fetch()
    assert clock.left_seconds == 40
    time.now += 41
    assert clock.left_seconds == 0


@pytest.mark.parametrize("passed", [0.0, 9.99, 60.0])
def test_a_wait_ends_when_the_time_is_over(passed: float) -> None:
    time = Clock(100.0)
    clock = StartClock(0.01 if not passed else 10.0, time)
    time.now += passed
    with pytest.raises(UpstreamTimeout, match="GLM_START_SECONDS"), clock.limit():
        gevent.sleep(5)
