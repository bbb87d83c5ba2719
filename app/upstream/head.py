"""Reading the head of an answer: within one time and one size, however its bytes come."""

from __future__ import annotations

import io
import socket
import time
from typing import Any

from app.clocked_socket import MAX_INFORMATIONAL, FinalResponse, TooManyInformational
from app.core.errors import UpstreamInvalid
from app.hub import cooperate

_MAX_HEAD_BYTES = 128 * 1024


class HeadReader(io.RawIOBase):
    """The file that `http.client` reads a head from; the informational ones before it count with it.

    What the socket's timeout gives to one read is the time for all of them: TimeoutError after it. Gives way
    between reads, since a socket that always has bytes never waits.
    """

    def __init__(self, sock: socket.socket) -> None:
        seconds = sock.gettimeout()
        if seconds is None:
            raise ValueError("An answer is read from a socket that has a timeout.")
        self.socket = sock
        self.received_bytes = 0
        self.is_over = False
        self._ends_at = time.monotonic() + seconds
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open as long as the answer is

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `http.client` asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """None once the head is over: what follows is read by others."""
        if self.is_over:
            return None
        if self.received_bytes:
            self._prepare_next()
        count = self.socket.recv_into(buffer)
        self.received_bytes += count
        return count

    def _prepare_next(self) -> None:
        if self.received_bytes >= _MAX_HEAD_BYTES:
            raise UpstreamInvalid("The head of the upstream's answer has no end.")
        cooperate()
        left = self._ends_at - time.monotonic()
        if left <= 0.0:
            raise TimeoutError("The head of the answer did not come in time.")
        self.socket.settimeout(left)

    def close(self) -> None:
        super().close()
        self._raw.close()


class AnswerHead(FinalResponse):
    """An answer whose head `begin` reads, and whose body nobody reads here (app.upstream.body).

    The socket's timeout is the time for the whole head.
    """

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        self._reader = HeadReader(sock)
        file: Any = self._reader  # makes the one file that is asked of a socket
        super().__init__(file, debuglevel, method, url)

    @property
    def socket(self) -> socket.socket:
        return self._reader.socket

    @property
    def has_begun(self) -> bool:
        """The other side has answered something, so that it has seen what it was asked."""
        return self._reader.received_bytes > 0

    def take_buffered(self) -> bytes:
        """The bytes of the body that came along with the head; from here on the socket is the caller's."""
        self._reader.is_over = True
        buffered: bytes = self.fp.peek(1)
        return buffered

    def _read_status(self) -> tuple[str, int, str]:
        try:
            return super()._read_status()
        except TooManyInformational as exc:
            raise UpstreamInvalid(
                f"The upstream announced its answer more than {MAX_INFORMATIONAL} times."
            ) from exc
