"""Plays the steps of an answer onto an exchange, on an absolute schedule that does not drift.

A step is `bytes` (one HTTP chunk), a `float` (seconds to wait; negative values count as none), or an
`Ending`. A script that runs out of steps ends its body properly. A reader that does not keep up pauses the
script, not memory.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Callable, Iterator

from upstream_emulator.connection import Exchange

logger = logging.getLogger("upstream_emulator")

MAX_STEPS_PER_TURN = 64
DEAF_SECONDS = 30.0


class Ending(enum.Enum):
    CUT = "the connection closes inside the body"
    RESET = "the connection is reset"
    STALL = "nothing more comes until the client leaves"


Step = bytes | float | Ending
Steps = Iterator[Step]


class Player:
    """Owns one streamed answer until it ends; `on_end` is called exactly once, with True when the client left
    early.

    It is called before the last bytes are written, so that whoever saw the end finds its account free. A deaf
    one does not hear its client leave: it goes on for half a minute, to nobody, unless it is stopped.
    """

    def __init__(
        self, exchange: Exchange, steps: Steps, on_end: Callable[[bool], None], *, deaf: bool = False
    ) -> None:
        self._exchange = exchange
        self._steps = steps
        self._on_end = on_end
        self._deaf = deaf
        self._has_reader = True
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._timer: asyncio.Handle | None = None
        self._ended = False

    def start(self, head_seconds: float = 0.0) -> None:
        """Begins; the HTTP head is sent after `head_seconds`."""
        self._exchange.on_gone = self._client_left
        if head_seconds:
            self._timer = self._loop.call_later(head_seconds, self._open)
        else:
            self._open()

    def stop(self, last_words: bytes) -> None:
        """Ends the answer from outside, politely; before the head is out there is nobody to be polite to."""
        if not self._end(early=False) or not self._has_reader:
            return
        if self._exchange.status is None:
            self._exchange.reset()
        self._exchange.write(last_words)
        self._exchange.finish()

    def _open(self) -> None:
        self._exchange.open_stream()
        self._exchange.on_writable = self._resume
        self._due = self._loop.time()
        self._run()

    def _run(self) -> None:
        self._timer = None
        for _ in range(MAX_STEPS_PER_TURN):
            if self._ended or self._exchange.paused:
                return
            step = self._next_step()
            if type(step) is bytes:
                self._exchange.write(step)
            elif type(step) is float:
                self._due += max(step, 0.0)
                if self._due > self._loop.time():
                    self._timer = self._loop.call_at(self._due, self._run)
                    return
            else:
                self._close(step)
                return
        self._timer = self._loop.call_soon(self._run)

    def _next_step(self) -> Step | None:
        try:
            return next(self._steps, None)
        except Exception:
            # A scenario's mistake must not leave the account busy for ever.
            logger.exception("a scenario failed")
            return Ending.CUT

    def _resume(self) -> None:
        if self._timer is None and not self._ended:
            self._timer = self._loop.call_soon(self._run)

    def _close(self, ending: object) -> None:
        if ending is Ending.STALL:
            return
        self._end(early=False)
        if ending is Ending.CUT:
            self._exchange.cut()
        elif ending is Ending.RESET:
            self._exchange.reset()
        else:
            self._exchange.finish()

    def _client_left(self) -> None:
        self._has_reader = False
        if not self._deaf:
            self._end(early=True)
        elif not self._ended:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(DEAF_SECONDS, self._end, True)

    def _end(self, early: bool) -> bool:
        if self._ended:
            return False
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        self._on_end(early)
        return True
