"""Memory goes back to the system: large blocks as soon as they are freed, small ones now and then."""

from __future__ import annotations

import ctypes
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

TRIM_SECONDS = 15.0
MIN_GROWN_BYTES = 16 * 1024 * 1024

_M_MMAP_THRESHOLD = -3  # malloc.h of glibc
_THRESHOLD_BYTES = 128 * 1024


def return_large_blocks() -> None:
    """From now on, in this process.

    glibc maps blocks of 128 KiB and more one by one, but raises that bound to the size of every larger one
    that is freed, up to 32 MiB. What is smaller lies in a heap then that can only shrink from its end: twelve
    bodies of 24 MB left 55 MB behind. Once it is set the bound stays. Other C libraries have no such call.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_MMAP_THRESHOLD, _THRESHOLD_BYTES)


class FreedMemory:
    """Gives back what was freed between blocks that are still held: `look` is called now and then.

    What thousands of connections, or large answers that came in pieces, leave behind is free memory in the
    middle of the heap, which glibc gives back only when it is asked to. That takes some milliseconds for a
    hundred megabytes, so it is done where there is something to gain, and seldom.
    """

    __slots__ = ("_clock", "_measure", "_min_bytes", "_next_at", "_trim")

    def __init__(
        self,
        measure: Callable[[], int] | None = None,
        trim: Callable[[], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`measure` gives the resident bytes of this process."""
        self._measure = measure or measure_resident_bytes
        self._trim = trim or _find_trim()
        self._clock = clock
        self._min_bytes = self._measure()
        self._next_at = clock() + TRIM_SECONDS

    def look(self) -> None:
        """Nothing, or a few milliseconds. Never raises."""
        now = self._clock()
        if now < self._next_at:
            return
        self._next_at = now + TRIM_SECONDS
        if self._measure() - self._min_bytes >= MIN_GROWN_BYTES:
            self._trim()
        self._min_bytes = min(self._min_bytes, self._measure())


def measure_resident_bytes() -> int:
    """0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0


def _find_trim() -> Callable[[], object]:
    try:
        return partial(ctypes.CDLL(None).malloc_trim, 0)
    except (AttributeError, OSError):
        return lambda: None
