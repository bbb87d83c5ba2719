"""Rows go when they have been over for long, and never because of a clock that is wrong for a moment."""

from __future__ import annotations

import pytest

from app.accounts.expiry import RowExpiry
from app.accounts.login import Logins
from app.accounts.vault import RotatedTokens, Vault
from app.state import MEMORY, open_state
from app.steady_clock import SteadyClock
from tests.clock import Clock

DAY_SECONDS = 86400.0
NOW = 1_800_000_000.0


class Rig:
    def __init__(self) -> None:
        self.wall, self.monotonic = Clock(NOW), Clock(0.0)
        state = open_state(MEMORY)
        self.vault, self.logins = Vault(state), Logins(state, self.wall)
        clock = SteadyClock(self.wall, self.monotonic)
        self.expiry = RowExpiry(clock, [self.vault.forget_expired, self.logins.forget_unused])
        self.logins.put("account", "owner")
        self.vault.put("original", RotatedTokens("newest"), NOW + 180 * DAY_SECONDS)

    def live(self, seconds: float) -> None:
        """With a look each hour."""
        for _ in range(int(seconds // 3600)):
            self.wall.now += 3600
            self.monotonic.now += 3600
            self.expiry.look()

    def is_known(self) -> tuple[bool, bool]:
        return self.vault.get("original") is not None, self.logins.get("account") is not None


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_they_go_with_a_wide_margin(rig: Rig) -> None:
    rig.live(209 * DAY_SECONDS)
    assert rig.is_known() == (True, True)
    rig.live(2 * DAY_SECONDS)
    assert rig.is_known() == (False, False)


def test_a_look_alone_removes_nothing(rig: Rig) -> None:
    """Neither one that asks for a row, nor the first one of a gateway whose clock is wrong from the start."""
    rig.wall.now += 300 * DAY_SECONDS
    assert rig.is_known() == (True, True)
    wrong = RowExpiry(SteadyClock(rig.wall, rig.monotonic), [rig.vault.forget_expired])
    wrong.look()
    assert rig.is_known() == (True, True)


@pytest.mark.parametrize("days", [365, 3650, -365])
def test_a_clock_that_is_wrong_for_a_moment_removes_nothing(rig: Rig, days: int) -> None:
    rig.live(DAY_SECONDS)
    rig.wall.now += days * DAY_SECONDS
    rig.expiry.look()
    rig.wall.now -= days * DAY_SECONDS
    rig.live(DAY_SECONDS)
    assert rig.is_known() == (True, True)
