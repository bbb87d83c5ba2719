"""Reading answers from servers that never pause: a timer cannot fire while a loop always finds bytes.

So each read looks at the clock itself and lets others have their turn, and an answer may be preceded by a few
informational ones only, not by an endless row of them.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from typing import Any

from app.hub import cooperate

MAX_INFORMATIONAL = 10
_TURN_SECONDS = 0.005
_SWITCHING_PROTOCOLS = 101


class ReadClock:
    """Looked at before each read of one call. `ends_at` is a time of `clock`."""

    __slots__ = ("_clock", "_ends_at", "_gave_way_at", "turns")

    def __init__(self, ends_at: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ends_at = ends_at
        self._clock = clock
        self._gave_way_at = clock()
        self.turns = 0
        """How often others have had theirs."""

    def tick(self) -> None:
        """Raises TimeoutError when the time is over. Gives way where that was not done for a while."""
        now = self._clock()
        if now - self._gave_way_at >= _TURN_SECONDS:
            cooperate()
            self.turns += 1
            now = self._gave_way_at = self._clock()
        if now >= self._ends_at:
            raise TimeoutError("The time for this call is over.")


class ClockedSocket:
    """A connected socket, plain or TLS, that is read by the clock; in all else the socket itself."""

    def __init__(self, sock: socket.socket, clock: ReadClock) -> None:
        self._sock = sock
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recv(self, *args: Any) -> bytes:
        self._clock.tick()
        return self._sock.recv(*args)

    def recv_into(self, *args: Any) -> int:
        self._clock.tick()
        return self._sock.recv_into(*args)

    def makefile(self, mode: str = "rb", buffering: int = io.DEFAULT_BUFFER_SIZE) -> io.BufferedReader:
        """As `http.client` asks for it: binary, for reading."""
        if mode != "rb":
            raise ValueError("This file is for reading bytes.")
        return io.BufferedReader(
            _ClockedReads(self._sock.makefile("rb", buffering=0), self._clock), buffering
        )


class _ClockedReads(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, clock: ReadClock) -> None:
        self._raw = raw
        self._clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._clock.tick()
        return self._raw.readinto(buffer)

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()


class TooManyInformational(http.client.BadStatusLine):
    """A server announced its answer again and again."""


class FinalResponse(http.client.HTTPResponse):
    """Passes over informational answers (RFC 9110, 15.2), all kinds of them and at most ten.

    `http.client` passes over any number of `100 Continue`, and takes `103 Early Hints` for the answer. Raises
    TooManyInformational.
    """

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INFORMATIONAL + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # which typeshed hides
            if not 100 <= status < 200 or status == _SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise TooManyInformational(f"more than {MAX_INFORMATIONAL} informational answers")
