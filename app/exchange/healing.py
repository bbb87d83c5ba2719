"""An answer that was cut goes on where it ended, once, with the same account (protocol notes 0.2 row 5).

read ... CutAnswer --heal()--> the same answer, resumed --> its end: healed
             |                        |
             +---- not possible       +---- cut again, or it cannot be joined
                   the first CutAnswer, as if nothing had been tried
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from app.core.errors import CutAnswer, GatewayError
from app.metrics.counters import Counters
from app.upstream.stream import AnswerStream

ResumeCall = Callable[[AnswerStream], AnswerStream]
"""Asks the upstream to go on with the answer of a stream that was cut."""


class Healing:
    """One for each reply, used by its greenlet."""

    __slots__ = ("_counters", "_resume", "cut")

    def __init__(self, resume: ResumeCall, counters: Counters) -> None:
        self._resume = resume
        self._counters = counters
        self.cut: CutAnswer | None = None
        """Why the answer was resumed, once it was: what it fails with where it fails again."""

    def heal(self, stream: AnswerStream, cut: CutAnswer) -> AnswerStream:
        """The stream that goes on with the answer, once `stream` is closed. Raises `cut` where none does."""
        if self.cut is not None or stream.answer_id is None:
            raise cut
        self.cut = cut
        try:
            return self._resume(stream)
        except GatewayError:
            self.give_up()
        finally:
            stream.close()

    def give_up(self) -> NoReturn:
        """The resumed answer failed. Raises what cut it at first."""
        self._counters.healings["failed"] += 1
        if self.cut is None:
            raise AssertionError("nothing was resumed")
        # From nothing: what failed later would keep its frames in memory as long as the first error.
        raise self.cut from None

    def note_end(self) -> None:
        """The answer came to a good end."""
        if self.cut is not None:
            self._counters.healings["healed"] += 1
