"""Bytes that all requests hold together: counted to the byte, given back however a request ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.budget import SMALL_SHARE_BYTES, Budget
from app.core.errors import OutOfRoom

LARGE = SMALL_SHARE_BYTES + 1


def refuse(max_bytes: int) -> OutOfRoom:
    return OutOfRoom(f"{max_bytes} are full.", retry_after_seconds=5)


def test_it_is_full_to_the_byte() -> None:
    budget = Budget(100, refuse)
    first, second = budget.open(), budget.open()
    first.take(60)
    second.take(40)
    with pytest.raises(OutOfRoom, match="100 are full"):
        second.take(1)
    assert budget.held_bytes == 100
    first.close()
    second.take(60)
    assert budget.held_bytes == 100


def test_closing_twice_gives_back_once() -> None:
    budget = Budget(100, refuse)
    share, other = budget.open(), budget.open()
    other.take(10)
    share.take(50)
    share.close()
    share.close()
    assert budget.held_bytes == 10


def test_large_ones_do_not_keep_small_ones_out() -> None:
    budget = Budget(4 * LARGE, refuse, reserve_bytes=LARGE)
    large = budget.open()
    large.take(3 * LARGE)
    small = budget.open()
    with pytest.raises(OutOfRoom):
        large.take(1)
    small.take(SMALL_SHARE_BYTES)
    with pytest.raises(OutOfRoom):
        small.take(1)  # it would be a large one
    budget.open().take(1)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 90) | st.none()), max_size=60))
def test_it_holds_what_its_shares_hold(steps: list[tuple[int, int | None]]) -> None:
    budget = Budget(200, refuse, reserve_bytes=50)
    shares = [budget.open() for _ in range(5)]
    for index, size_bytes in steps:
        if size_bytes is None:
            shares[index].close()
            continue
        try:
            shares[index].take(size_bytes)
        except OutOfRoom:
            assert budget.held_bytes + size_bytes > 150
        assert budget.held_bytes == sum(share.size_bytes for share in shares) <= 200
