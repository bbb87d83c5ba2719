"""Work in a greenlet of its own: what it tells, makes and raises. Runs in gevent's loop, without patching."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import Event

from app.hub import ClientGone, Shield, Subtask, cancellation


def test_what_it_tells_comes_in_order_and_silence_is_told_too() -> None:
    go_on = Event()

    def work(tell: Callable[[int], None]) -> str:
        tell(1)
        tell(2)
        go_on.wait()
        tell(3)
        return "made"

    subtask: Subtask[int, str] = Subtask(work)
    heard: list[int | None] = []
    for news in subtask.listen(0.01):
        heard.append(news)
        if news is None:
            go_on.set()
    assert [news for news in heard if news is not None] == [1, 2, 3]
    assert heard[:3] == [1, 2, None]
    assert (subtask.take(), subtask.close()) == ("made", "made")


def test_what_it_raises_is_raised_once() -> None:
    def work(tell: Callable[[int], None]) -> None:
        tell(1)
        raise LookupError

    subtask: Subtask[int, None] = Subtask(work)
    assert list(subtask.listen(1)) == [1]
    with pytest.raises(LookupError):
        subtask.take()
    assert subtask.close() is None


@pytest.mark.parametrize("has_begun", [True, False])
def test_its_end_is_waited_for(*, has_begun: bool) -> None:
    """What is shielded is finished first, and what it gives back on its way out is given back."""
    done: list[str] = []

    def work(tell: Callable[[int], None]) -> None:
        try:
            with Shield(1):
                tell(1)
                gevent.sleep(0.05)
                done.append("named")
            done.append("never")
        except ClientGone:
            gevent.sleep(0.01)
            done.append("given back")
            raise

    subtask: Subtask[int, None] = Subtask(work)
    if has_begun:
        assert next(subtask.listen(1)) == 1
    assert (subtask.close(), subtask.close()) == (None, None)
    assert done == ["named", "given back"]
    assert cancellation._shields == {}


def test_what_nobody_took_is_given_to_who_closes() -> None:
    subtask: Subtask[Any, str] = Subtask(lambda tell: "made")
    gevent.sleep(0)
    assert subtask.close() == "made"


def test_nothing_of_it_stays_in_memory_when_it_is_over() -> None:
    class Large:
        alive = 0

        def __init__(self) -> None:
            Large.alive += 1

        def __del__(self) -> None:
            Large.alive -= 1

        def work(self, _: object) -> int:
            return 1

    subtask: Subtask[Any, int] = Subtask(Large().work)
    assert list(subtask.listen(1)) == []
    assert (subtask.take(), Large.alive) == (1, 0)
