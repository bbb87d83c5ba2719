"""Reading the head of an answer: within one time and one size, however its bytes come.

A head as servers write them comes in one piece and can be read in one way only. It is taken apart here, for a
tenth of what `http.client` and its parser of e-mails take; every other one is left to those (AnswerHead).
"""

from __future__ import annotations

import io
import re
import socket
import time
from typing import Any, Protocol

from app.clocked_socket import MAX_INFORMATIONAL, FinalResponse, TooManyInformational
from app.core.errors import UpstreamInvalid
from app.hub import cooperate

_MAX_HEAD_BYTES = 128 * 1024
_BODILESS = (204, 304)
# No folded field, no blank before a colon, no other line end: nothing that two readers read as two heads.
_USUAL_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-9][0-9]{2})(?: ([\x20-\x7e]*+))?\r\n"
    rb"((?:[!#-'*+.0-9A-Z^-z|~-]++:[\t\x20-\x7e]*+\r\n)*+)\r\n"
)


class Head(Protocol):
    """What the reader of a body needs to know (app.upstream.body)."""

    chunked: bool
    length: int | None

    @property
    def socket(self) -> socket.socket: ...

    def take_buffered(self) -> bytes: ...

    def close(self) -> None: ...


class UsualHead:
    """A head that came in one piece. Its body is the caller's matter, and so is its connection."""

    __slots__ = ("_buffered", "chunked", "headers", "length", "reason", "socket", "status", "will_close")
    version = 11

    def __init__(
        self, sock: socket.socket, status: int, reason: str, headers: dict[str, str], buffered: bytes
    ) -> None:
        """`buffered` is what came of the body."""
        known = {name.lower(): value for name, value in headers.items()}
        length = known.get("content-length")
        self.socket = sock
        self.status = status
        self.reason = reason
        self.headers = headers
        self.chunked = known.get("transfer-encoding", "").lower() == "chunked"
        self.length = 0 if status in _BODILESS else None if self.chunked or not length else int(length)
        """Of the body in bytes; None where it is chunked, or where only the connection's end ends it."""
        is_endless = self.length is None and not self.chunked
        self.will_close = is_endless or "close" in known.get("connection", "").lower()
        """No other answer can come after this one."""
        self._buffered = buffered

    def take_buffered(self) -> bytes:
        """The bytes of the body that came along with the head; from here on the socket is the caller's."""
        buffered, self._buffered = self._buffered, b""
        return buffered

    def close(self) -> None:
        """There is nothing to give back."""


def read_usual_head(sock: socket.socket, piece: bytes) -> UsualHead | None:
    """The head that `piece`, which `sock` received, begins with; None where `http.client` has to say.

    For answers that may have a body: not to HEAD.
    """
    found = _USUAL_HEAD.match(piece)
    if found is None or b" \r\n" in found[3] or b"\t\r\n" in found[3]:  # blanks that some count and some not
        return None
    lines = found[3].decode("ascii").split("\r\n")[:-1]
    fields = [(name, value.lstrip(" \t")) for name, _, value in [line.partition(":") for line in lines]]
    known = {name.lower(): value for name, value in fields}
    if len(known) < len(fields) or not known.get("content-length", "0").isdecimal():
        return None
    reason = (found[2] or b"").decode("ascii").strip()
    return UsualHead(sock, int(found[1]), reason, dict(fields), piece[found.end() :])


class HeadReader(io.RawIOBase):
    """The file that `http.client` reads a head from; the informational ones before it count with it.

    What the socket's timeout gives to one read is the time for all of them: TimeoutError after it. Gives way
    between reads, since a socket that always has bytes never waits.
    """

    def __init__(self, sock: socket.socket, received: bytes = b"") -> None:
        seconds = sock.gettimeout()
        if seconds is None:
            raise ValueError("An answer is read from a socket that has a timeout.")
        self.socket = sock
        self.received_bytes = 0
        self._received = received
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
        if self._received:
            count = min(len(buffer), len(self._received))
            buffer[:count], self._received = self._received[:count], self._received[count:]
        else:
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

    def take_received(self) -> bytes:
        """What was given to this reader and nobody has read; the head is over."""
        self.is_over = True
        received, self._received = self._received, b""
        return received

    def close(self) -> None:
        super().close()
        self._raw.close()


class AnswerHead(FinalResponse):
    """An answer whose head `begin` reads, and whose body nobody reads here (app.upstream.body).

    The socket's timeout is the time for the whole head.
    """

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
        received: bytes = b"",
    ) -> None:
        """`received` is what was read of the socket already."""
        self._reader = HeadReader(sock, received)
        file: Any = self._reader  # makes the one file that is asked of a socket
        super().__init__(file, debuglevel, method, url)

    @property
    def socket(self) -> socket.socket:
        return self._reader.socket

    def take_buffered(self) -> bytes:
        """The bytes of the body that came along with the head; from here on the socket is the caller's."""
        rest = self._reader.take_received()  # behind what the file holds, which is 8 KiB at most
        buffered: bytes = self.fp.peek(1)
        return buffered + rest

    def _read_status(self) -> tuple[str, int, str]:
        try:
            return super()._read_status()
        except TooManyInformational as exc:
            raise UpstreamInvalid(
                f"The upstream announced its answer more than {MAX_INFORMATIONAL} times."
            ) from exc
