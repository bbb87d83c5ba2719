"""Says no quickly while the upstream is down for everybody, and finds out by itself when it is back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.catalogue.upstream import FAILING
from app.core.errors import UpstreamBusy

_FIRST_PAUSE_SECONDS = 1.0
_MAX_PAUSE_SECONDS = 30.0


class Breaker:
    """Opens after `threshold` requests in a row for which every account failed by the upstream's fault.

    While open, one request per pause is let through as a probe; its success closes the breaker. Thread-safe.
    """

    def __init__(self, threshold: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold = threshold
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0
        self._pause_seconds = _FIRST_PAUSE_SECONDS

    @property
    def is_open(self) -> bool:
        return self._failures >= self._threshold

    def check(self) -> None:
        """Raise UpstreamBusy while the breaker is open and somebody has probed lately."""
        with self._lock:
            if not self.is_open:
                return
            left = self._open_until - self._clock()
            if left > 0:
                raise UpstreamBusy(
                    FAILING,
                    retry_after_seconds=left,
                )
            self._pause_seconds = min(self._pause_seconds * 2, _MAX_PAUSE_SECONDS)
            self._open_until = self._clock() + self._pause_seconds

    def record_success(self) -> None:
        self._failures = 0

    def record_failure(self) -> None:
        """Probes alone make the pauses grow: what fails besides had begun before the breaker opened."""
        with self._lock:
            self._failures += 1
            if self._failures == self._threshold:
                self._pause_seconds = _FIRST_PAUSE_SECONDS
                self._open_until = self._clock() + self._pause_seconds
