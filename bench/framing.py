"""HTTP/1.1 responses on the measuring side: while they come only their end is looked for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

Reads = list[tuple[int, bytes]]
"""What each read brought, with the moment in nanoseconds of the machine's monotonic clock."""

_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)


class BrokenResponse(Exception):
    """What came is no whole HTTP response."""


class EndFinder:
    """Notices the last byte of one response.

    A line that says only `0`, with CRLF around it, would pass for the end of a chunked body; neither JSON nor
    an event stream has one.
    """

    __slots__ = ("_head", "_left", "_tail", "closes", "ends_with_connection")

    def __init__(self) -> None:
        self._head: bytes | None = b""
        self._tail = b"\r\n"
        self._left: int | None = None
        self.ends_with_connection = False
        """Neither a length nor chunks: the end of the connection is the end of the body."""
        self.closes = False
        """The server will close the connection after this response."""

    def feed(self, data: bytes) -> bool:
        """True when the response is complete."""
        if self._head is not None:
            rest = self._read_head(self._head, data)
            if rest is None:
                return False
            data = rest
        if self._left is not None:
            self._left -= len(data)
            return self._left <= 0
        self._tail = (data if len(data) >= len(_LAST_CHUNK) else self._tail + data)[-len(_LAST_CHUNK) :]
        return self._tail == _LAST_CHUNK and not self.ends_with_connection

    def _read_head(self, before: bytes, data: bytes) -> bytes | None:
        head, end, body = (before + data).partition(_HEAD_END)
        if not end:
            self._head = head
            return None
        self._head = None
        head += b"\r\n"
        length = _LENGTH.search(head)
        self._left = int(length[1]) if length else None
        self.closes = _CLOSE.search(head) is not None
        self.ends_with_connection = length is None and _CHUNKED.search(head) is None
        return body


@dataclass(frozen=True, slots=True)
class Response:
    """`pieces` are those of the body, each with the moment its last byte was read at."""

    status: int
    pieces: Reads

    @property
    def body(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)


def parse_response(reads: Reads) -> Response:
    """Raises BrokenResponse."""
    raw = b"".join(data for _, data in reads)
    ends = list(accumulate(len(data) for _, data in reads))
    try:
        head_end = raw.index(_HEAD_END) + len(_HEAD_END)
        status = int(raw[9:12])
        pieces = (
            _dechunk(raw, head_end) if _CHUNKED.search(raw, 0, head_end) else [(len(raw), raw[head_end:])]
        )
        return Response(status, [(reads[bisect_left(ends, end)][0], piece) for end, piece in pieces])
    except (ValueError, IndexError):
        raise BrokenResponse("no whole HTTP response") from None


def _dechunk(raw: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """The HTTP chunks from `position` on, each with the offset of its end. Raises ValueError."""
    while True:
        line_end = raw.index(b"\r\n", position)
        size = int(raw[position:line_end].partition(b";")[0], 16)
        if not size:
            return
        start = line_end + 2
        position = start + size + 2
        if position > len(raw):
            raise ValueError("cut inside a chunk")
        yield start + size, raw[start : start + size]
