"""How long a reply may take, and how much of GLM_START_SECONDS a request has left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from app.catalogue.upstream import NOT_BEGUN_IN_TIME
from app.core.errors import UpstreamTimeout
from app.hub import Deadline


class Clocks(msgspec.Struct, frozen=True):
    """How long a reply may take, in seconds (docs/configuration.md)."""

    commit: float
    idle: float
    heartbeat: float
    whole: float


class StartClock:
    """Runs from the first look at the queue to the commit point; stands still while files travel."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.ends_at = clock() + seconds

    @property
    def left_seconds(self) -> float:
        return max(0.0, self.ends_at - self._clock())

    def limit(self) -> Deadline:
        """`with clock.limit():` raises UpstreamTimeout in this greenlet when the time is over."""
        overtime = UpstreamTimeout(NOT_BEGUN_IN_TIME)
        return Deadline(max(0.001, self.left_seconds), overtime)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Time that passes inside does not count: it has a limit of its own."""
        begun_at = self._clock()
        try:
            yield
        finally:
            self.ends_at += self._clock() - begun_at
