"""Reading a streamed HTTP/1.1 response body as its bytes arrive.

`requests` opens the call; from the first body byte on its layers are passed by, because none of them can say
"nothing yet" without making the response unreadable (docs/decisions/0002). Framing is decoded here.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from typing import Protocol

from app.core.errors import UpstreamInvalid
from app.hub import Readiness, cooperate
from app.upstream.head import Head

_READ_BYTES = 65536
_MAX_SIZE_LINE_BYTES = 4096
_MAX_TRAILER_BYTES = 65536
# Of one read, so that tiny ones do not hold up everybody else.
_MAX_CHUNKS = 256
_LINE_END = b"\r\n"
_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,15})\r\n")
_SIZE_LINE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;|\Z)")
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Framing(Protocol):
    """Turns raw bytes into body bytes."""

    complete: bool
    """The body is whole; nothing more belongs to it."""

    failure: UpstreamInvalid | None
    """The framing broke behind body bytes that `feed` has returned; nothing more can be read."""

    rest: bytes
    """What `feed` left of its bytes, to be fed next: nothing, unless that would have taken too long."""

    ends_with_connection: bool
    """Only the end of the connection ends the body, so that a cut cannot be told from its end."""

    def feed(self, data: bytes) -> bytes: ...


class ChunkedFraming:
    """`Transfer-Encoding: chunked` (RFC 9112 section 7.1); extensions and trailers are skipped, in bounds."""

    __slots__ = ("_buffer", "_in_trailer", "_left", "_trailer_bytes", "complete", "failure", "rest")
    ends_with_connection = False

    def __init__(self) -> None:
        self.complete = False
        self.failure: UpstreamInvalid | None = None
        self.rest = b""
        self._buffer = b""
        self._left = 0  # bytes of the current chunk still to come, its line end included
        self._in_trailer = False
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> bytes:
        """The body bytes among `data`. Raises UpstreamInvalid where the framing is broken before any."""
        self.rest = b""
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        pieces: list[bytes] = []
        position = 0
        try:
            while position < len(data) and len(pieces) < _MAX_CHUNKS and not self.complete:
                position = self._read_next(data, position, pieces)
        except UpstreamInvalid as error:
            if not pieces:
                raise
            self.failure = error
        else:
            if not self.complete:
                self.rest = data[position:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _read_next(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        """Take what is next in `data`; returns where that ends."""
        if self._left:
            return self._take(data, position, pieces)
        head = None if self._in_trailer else _CHUNK_HEAD.match(data, position)
        if head is not None:
            begin, size = head.end(), int(head[1], 16)
            end = begin + size
            if size and data[end : end + 2] == _LINE_END:  # a whole chunk, as nearly all come
                pieces.append(data[begin:end])
                return end + 2
        return self._read_line(data, position)

    def _take(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        """Of the current chunk what is there, its line end included, which may come in two reads."""
        end = min(position + self._left, len(data))
        body_end = max(position, min(position + self._left - 2, len(data)))
        if body_end > position:
            pieces.append(data[position:body_end])
        line_end = data[body_end:end]
        if not (_LINE_END if self._left >= 2 else b"\n").startswith(line_end):
            raise UpstreamInvalid("The upstream broke the framing of its answer.")
        self._left -= end - position
        return end

    def _read_line(self, data: bytes, position: int) -> int:
        end = data.find(_LINE_END, position)
        if end < 0:
            self._buffer = data[position:]
            if len(self._buffer) > _MAX_SIZE_LINE_BYTES:
                raise UpstreamInvalid("The upstream broke off the framing of its answer.")
            return len(data)
        if self._in_trailer:
            self._skip_trailer(end - position)
        else:
            self._begin_chunk(data[position:end])
        return end + 2

    def _skip_trailer(self, line_bytes: int) -> None:
        self.complete = not line_bytes
        self._trailer_bytes += line_bytes
        if self._trailer_bytes > _MAX_TRAILER_BYTES:
            raise UpstreamInvalid("The upstream broke off the framing of its answer.")

    def _begin_chunk(self, line: bytes) -> None:
        found = _SIZE_LINE.match(line)
        if found is None:
            raise UpstreamInvalid("The upstream broke the framing of its answer.")
        size = int(found[1], 16)
        if size:
            self._left = size + 2
        else:
            self._in_trailer = True


class LengthFraming:
    """`Content-Length`, or the end of the connection where `length` is None."""

    __slots__ = ("_left", "complete", "ends_with_connection", "failure")
    rest = b""

    def __init__(self, length: int | None) -> None:
        self.ends_with_connection = length is None
        self.failure: UpstreamInvalid | None = None  # there is nothing to break
        self._left = length
        self.complete = length == 0

    def feed(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        body = data[: self._left]
        self._left -= len(body)
        self.complete = self._left == 0
        return body


class BodyReader:
    """Reads one response body without ever blocking on more than readability.

    Takes over the response's socket for reading; `close` hands the response back.
    """

    __slots__ = ("_framing", "_has_read", "_pending", "_readiness", "_response", "_socket", "_undecoded")

    def __init__(self, response: Head) -> None:
        self._response = response
        self._socket = response.socket
        self._socket.settimeout(0.0)
        # TLS may hold decrypted bytes that the descriptor knows nothing of.
        self._pending: Callable[[], int] | None = getattr(self._socket, "pending", None)
        self._readiness: Readiness | None = None  # what came whole with its head is never waited for
        self._framing: Framing = ChunkedFraming() if response.chunked else LengthFraming(response.length)
        self._undecoded = response.take_buffered()
        self._has_read = False

    @property
    def complete(self) -> bool:
        """True when the body came whole, so that its connection may serve again."""
        return self._framing.complete

    @property
    def is_cut(self) -> bool:
        """At the end of the bytes: there should have been more."""
        return not (self._framing.complete or self._framing.ends_with_connection)

    def read(self, seconds: float) -> bytes | None:
        """The next body bytes, b"" at the end, or None when `seconds` passed without any.

        Bytes that only frame the body do not count, however many come. Raises OSError where the connection
        broke, UpstreamInvalid where the framing is wrong.
        """
        ends_at = time.monotonic() + seconds
        while not self._framing.complete:
            if self._framing.failure is not None:
                raise self._framing.failure
            if self._undecoded and self._has_read:  # the first of it was waited for, with the head
                cooperate()
            self._has_read = True
            data = self._undecoded or self._receive(seconds, ends_at)
            if not data:
                return data
            body = self._framing.feed(data)
            self._undecoded = self._framing.rest
            if body:
                return body
            seconds = ends_at - time.monotonic()
            if seconds <= 0.0:
                break
        return b"" if self._framing.complete else None

    def _receive(self, seconds: float, ends_at: float) -> bytes | None:
        """What has come, or comes within `seconds`. Every wait is a turn for others; with bytes, too."""
        if self._readiness is None:
            self._readiness = Readiness(self._socket.fileno())
        while (self._pending and self._pending()) or self._readiness.wait(seconds):
            try:
                return self._socket.recv(_READ_BYTES)
            except _WOULD_BLOCK:  # part of what TLS needs before it says anything
                seconds = ends_at - time.monotonic()
                if seconds <= 0.0:
                    break
        return None

    def close(self) -> None:
        """Idempotent. Closes the response for reading; the connection is the client's matter."""
        if self._readiness is not None:
            self._readiness.close()
        self._response.close()
