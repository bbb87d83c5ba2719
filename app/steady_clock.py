"""The time of day for what is deleted when its time is over: a clock that jumps deletes nothing at once.

The system's clock may be a year ahead for a moment - a wrong battery clock before NTP has answered, a
restored snapshot, a mistyped date - and what was deleted in that moment stays deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# NTP moves a clock by less than two seconds an hour.
_MAX_DRIFT_SECONDS = 30.0
_BELIEVED_AFTER_SECONDS = 600.0


class SteadyClock:
    """Unix time in seconds. A jump of the system's clock is believed once it has lasted for ten minutes.

    The clock that sleeps with the machine is the measure: a machine that was suspended has jumped, too.
    """

    def __init__(
        self, clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._steady_since = monotonic()
        self._offset = (
            clock() - self._steady_since
        )  # from the monotonic clock to Unix time, as it is believed
        self._new_offset: float | None = None  # as it has been since the jump

    def __call__(self) -> float:
        now = self._monotonic()
        offset = self._clock() - now
        if abs(offset - self._offset) <= _MAX_DRIFT_SECONDS:
            self._offset, self._new_offset = offset, None
        elif self._new_offset is None or abs(offset - self._new_offset) > _MAX_DRIFT_SECONDS:
            self._new_offset, self._steady_since = offset, now
        elif now - self._steady_since >= _BELIEVED_AFTER_SECONDS:
            self._offset, self._new_offset = offset, None
        return now + self._offset

    def steady_seconds(self) -> float:
        """For how long the clock has not jumped, as far as those who looked at it could see."""
        self()
        return self._monotonic() - self._steady_since
