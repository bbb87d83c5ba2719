"""Rounds of the event loop, and a bound on how long one lasts when very much becomes ready at once.

The loop runs whatever is ready one after the other before it looks at timers and sockets again. Where two
thousand clients leave in the same moment that is a second, each of them having its millisecond.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import gevent
from gevent.hub import Waiter

MAX_ROUND_SECONDS = 0.01


def is_round_long() -> bool:
    """Whether everybody else has waited for a while for this round of the event loop to end."""
    return bool(time.time() - gevent.get_hub().loop.now() >= MAX_ROUND_SECONDS)


class Rounds:
    """Whoever comes in a long round waits for a later one, first come, first served. For one event loop."""

    __slots__ = ("_timer", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[Any] = deque()
        self._timer: Any = None

    def __repr__(self) -> str:
        return f"<Rounds waiting={len(self._waiting)}>"

    def enter(self) -> None:
        """Returns where there is time for a little work. May be interrupted while it waits."""
        if not self._waiting and not is_round_long():
            return
        waiter = Waiter()
        self._waiting.append(waiter)
        self._admit_soon()
        try:
            waiter.get()
        except BaseException:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            raise

    def _admit_soon(self) -> None:
        if self._timer is None:
            self._timer = gevent.get_hub().loop.timer(0.0)
            self._timer.start(self._admit)

    def _admit(self) -> None:
        """In the event loop, once a round: at least one, and more while the round is young."""
        self._timer.close()
        self._timer = None
        while self._waiting:
            self._waiting.popleft().switch(None)
            if is_round_long():
                break
        if self._waiting:
            self._admit_soon()
