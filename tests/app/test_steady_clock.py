"""A clock that jumps is not believed at once, and is in the end."""

from __future__ import annotations

import pytest

from app.steady_clock import SteadyClock
from tests.clock import Clock

YEAR_SECONDS = 365 * 86400.0


class Rig:
    """A system whose clock can be set, watched once a minute."""

    def __init__(self) -> None:
        self.wall, self.monotonic = Clock(1_800_000_000.0), Clock(500.0)
        self.clock = SteadyClock(self.wall, self.monotonic)

    def live(self, seconds: float) -> None:
        while seconds > 0:
            step = min(60.0, seconds)
            self.wall.now += step
            self.monotonic.now += step
            self.clock()
            seconds -= step


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_it_goes_as_the_system_does(rig: Rig) -> None:
    rig.live(7200)
    assert rig.clock() == 1_800_007_200.0
    assert rig.clock.steady_seconds() == 7200


def test_it_follows_a_clock_that_drifts(rig: Rig) -> None:
    for _ in range(200):
        rig.live(60)
        rig.wall.now += 1
    rig.live(60)
    assert rig.clock() == rig.wall.now
    assert rig.clock.steady_seconds() == 201 * 60


@pytest.mark.parametrize("jump", [YEAR_SECONDS, -YEAR_SECONDS, 120.0, -120.0])
def test_a_jump_for_a_moment_changes_nothing(rig: Rig, jump: float) -> None:
    rig.live(3600)
    rig.wall.now += jump
    rig.live(300)
    assert rig.clock() == 1_800_003_900.0
    rig.wall.now -= jump
    rig.live(1200)
    assert rig.clock() == 1_800_005_100.0 == rig.wall.now
    assert rig.clock.steady_seconds() < 1600


@pytest.mark.parametrize("jump", [YEAR_SECONDS, -YEAR_SECONDS])
def test_a_jump_that_lasts_is_believed(rig: Rig, jump: float) -> None:
    rig.live(3600)
    rig.wall.now += jump
    rig.live(660)
    assert rig.clock() == rig.wall.now
    assert rig.clock.steady_seconds() == pytest.approx(600)


def test_a_clock_that_jumps_about_is_never_believed(rig: Rig) -> None:
    for number in range(100):
        rig.wall.now += YEAR_SECONDS * (1 if number % 2 else -1)
        rig.live(300)
    assert abs(rig.clock() - 1_800_030_000.0) < 1
