"""How long a watch lasts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.caller_stats import History
from app.routes import watch
from tests.clock import Clock

SIX_HOURS = 6 * 3600


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_watch_ends_after_six_hours_whether_or_not_it_has_something_to_tell(
    monkeypatch: pytest.MonkeyPatch, *, is_busy: bool
) -> None:
    clock = Clock()
    monkeypatch.setattr(watch, "time", SimpleNamespace(time=clock, monotonic=clock))
    history = History(clock)

    def wait(seconds: float) -> None:
        clock.now += seconds
        if is_busy:
            history.begin()

    ended: Any = SimpleNamespace(wait=wait)
    begun, most = clock.now, 2 * SIX_HOURS
    for _ in watch._relay(history, lambda: 0, lambda: clock.now - begun > most, ended):
        pass
    assert SIX_HOURS <= clock.now - begun <= SIX_HOURS + 5
