"""Waiting for what others do, without guessing how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Returns as soon as it holds; `seconds` only bound how long a test that fails goes on."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
