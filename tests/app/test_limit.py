"""Moving windows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.limit import MovingWindow, Windows


def test_the_oldest_event_makes_room() -> None:
    window = MovingWindow(2, 60)
    assert window.free_at(0) == 0
    window.add(0)
    assert window.free_at(10) == 10
    window.add(10)
    assert window.free_at(20) == 60
    assert window.free_at(70) == 70
    window.add(60)
    assert window.free_at(60) == 70


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 5))
def test_no_window_ever_holds_too_many(pauses: list[int], most: int) -> None:
    window, now, taken = MovingWindow(most, 60), 0, list[int]()
    for pause in pauses:
        now += pause
        if window.free_at(now) <= now:
            window.add(now)
            taken.append(now)
    assert all(later - earlier >= 60 for earlier, later in zip(taken, taken[most:], strict=False))


def test_names_do_not_share_a_window_and_are_bounded() -> None:
    windows = Windows(1, 60, max_names=3)
    for name in ("a", "b", "c"):
        windows.of(name).add(0)
    assert windows.of("a").free_at(0) == 60
    windows.of("d").add(0)
    assert windows.of("a").free_at(0) == 60, "used lately, so it is remembered"
    assert windows.of("b").free_at(0) == 0, "the longest unused one is forgotten"
