"""Work that a request has done for it in a greenlet of its own, so that it can speak meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic, TypeVar

import gevent
from gevent.event import Event

from app.hub.cancellation import ClientGone, interrupt
from app.hub.loop import call_soon

_Told = TypeVar("_Told")
_T = TypeVar("_T")


class Subtask(Generic[_Told, _T]):
    """Begins at once, and must be closed. Used by the greenlet that makes it.

    What is thrown into the request does not reach the work: `close` ends it.
    """

    def __init__(self, work: Callable[[Callable[[_Told], None]], _T]) -> None:
        """`work` is given what it may tell its news to."""
        self._told: deque[_Told] = deque()
        self._has_news = Event()
        self._is_over = False
        self._made: _T | None = None
        self._error: BaseException | None = None
        self._greenlet = gevent.spawn(self._run, work)

    def listen(self, seconds: float) -> Iterator[_Told | None]:
        """What the work tells, until it is over; None whenever it has told nothing for `seconds`."""
        while True:
            while self._told:
                yield self._told.popleft()
            if self._is_over:
                return
            self._has_news.clear()
            if not self._has_news.wait(seconds):
                yield None

    def take(self) -> _T:
        """What the work made, or raises what it raised. Call when it is over."""
        error, self._error = self._error, None
        if error is None:
            return self._made  # type: ignore[return-value]  # the work returned it
        try:
            raise error
        finally:
            del error

    def close(self) -> _T | None:
        """What the work has made; where it is at it still, end it, and wait until it has given back what it
        held. Idempotent.
        """
        if not self._greenlet.dead:
            call_soon(partial(interrupt, self._greenlet, ClientGone()))
            self._greenlet.join()
        return self._made

    def _tell(self, news: _Told) -> None:
        self._told.append(news)
        self._has_news.set()

    def _run(self, work: Callable[[Callable[[_Told], None]], _T]) -> None:
        try:
            self._made = work(self._tell)
        except BaseException as exc:  # noqa: BLE001 - `take` raises it
            self._error = exc
        finally:
            self._is_over = True
            self._has_news.set()
