"""Rows of the state that have been over for long are removed, and not by a clock that jumps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from app.background import run_in_background
from app.steady_clock import SteadyClock

_LOOK_SECONDS = 3600.0

Forget = Callable[[float], None]


class RowExpiry:
    """Looks once an hour from `start` to `stop`; acts where the clock has been steady since the last look."""

    def __init__(self, clock: SteadyClock, forget: Sequence[Forget]) -> None:
        """Each of `forget` is given the Unix time."""
        self._clock = clock
        self._forget = forget
        self._stopped = threading.Event()

    def start(self) -> None:
        run_in_background(self._run)

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> None:
        """Remove what is over, unless the clock has jumped or has not been watched for long enough."""
        if self._clock.steady_seconds() >= _LOOK_SECONDS:
            for forget in self._forget:
                forget(self._clock())

    def _run(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            self.look()
