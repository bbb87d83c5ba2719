"""The end of one whole call upstream, connection, head and body together."""

from __future__ import annotations

import time

from app.catalogue.upstream import NO_ANSWER_IN_TIME
from app.core.errors import UpstreamTimeout
from app.hub import Deadline


class CallDeadline(Deadline):  # type: ignore[misc]
    """`with CallDeadline(seconds) as deadline:` ends what waits inside by a timer, with UpstreamTimeout.

    A timer has no turn while a loop finds bytes wherever it looks: such loops ask `left_seconds`.
    """

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        super().__init__(seconds, _build_error())

    def left_seconds(self) -> float:
        """More than none: raises UpstreamTimeout when the time is over."""
        left = self._ends_at - time.monotonic()
        if left <= 0.0:
            raise _build_error()
        return left


def _build_error() -> UpstreamTimeout:
    return UpstreamTimeout(NO_ANSWER_IN_TIME)
