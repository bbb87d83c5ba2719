"""An answer that was cut goes on where it ended, once, with the same account (protocol notes 0.2 rows 5, 6).

read ... CutAnswer --resume()--> the same answer, resumed ----------> its end: healed
             |                        |
             +---- not possible       +---- cut again, or it cannot be joined
                         |            |
                         +------------+--read_stored()--> its end, of a whole answer: healed
                         |
                   the first CutAnswer, as if nothing had been tried
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn

from app.core.errors import CutAnswer, GatewayError
from app.core.event import ReplyEvent
from app.metrics.counters import Counters
from app.upstream.stream import AnswerStream

ResumeCall = Callable[[AnswerStream], AnswerStream]
"""Asks the upstream to go on with the answer of a stream that was cut."""

StoredCall = Callable[[str, float], Any]
"""Asks for what is stored of the conversation with this id (first), within so many seconds (second)."""


class Healing:
    """One for each reply, used by its greenlet."""

    __slots__ = (
        "_ask_stored",
        "_clock",
        "_counters",
        "_resume",
        "_until",
        "_within_seconds",
        "cut",
        "is_whole",
    )

    def __init__(
        self,
        resume: ResumeCall,
        counters: Counters,
        ask_stored: StoredCall | None = None,
        within_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Stored answers are asked for within so many seconds after the cut."""
        self._resume = resume
        self._counters = counters
        self._ask_stored = ask_stored
        self._within_seconds = within_seconds
        self._clock = clock
        self._until = 0.0
        self.is_whole = False
        """Nothing is told before the answer's end: it may come from what is stored."""
        self.cut: CutAnswer | None = None
        """Why the answer was resumed, once it was: what it fails with where it fails again."""

    def resume(self, stream: AnswerStream, cut: CutAnswer) -> AnswerStream | None:
        """The stream that goes on with the answer, once `stream` is closed; None where none does.

        Raises `cut` where nobody knows what to go on with.
        """
        if stream.answer_id is None:
            raise cut
        self.cut = cut
        self._until = self._clock() + self._within_seconds
        try:
            return self._resume(stream)
        except GatewayError:
            return None
        finally:
            stream.close()

    def read_stored(self, stream: AnswerStream) -> list[ReplyEvent] | None:
        """The rest of the answer of `stream`, to its end; None where it is not to be had."""
        seconds, name = self._until - self._clock(), stream.conversation_id
        if self._ask_stored is None or not self.is_whole or name is None or seconds <= 0.0:
            return None
        try:
            return stream.finish_from(self._ask_stored(name, seconds))
        except GatewayError:
            return None

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
