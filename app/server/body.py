"""The body of a request as the application reads it: bounded, its failures worded without a byte of it."""

from __future__ import annotations

from typing import Any

from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import NoMoreData, ParseException

from app.catalogue.request import BODY_CUT, BODY_MISFRAMED, CHUNKS_TOO_SMALL
from app.server.error import MalformedRequest
from app.server.incoming import IncomingBytes

MAX_DRAINED_BYTES = 65_536
"""An unread body is read to its end, and the connection kept, up to so many bytes."""

_FREE_CHUNKS = 16_384
_MIN_MEAN_CHUNK_BYTES = 4
"""Each chunk costs as much as some hundred bytes do. Encoders that send each token of JSON are above this."""

_MAX_CHUNK_LINE_BYTES = 1024
_MAX_TRAILER_BYTES = 8192


class BoundedChunks(ChunkedReader):  # type: ignore[misc]
    """Refuses bodies of very many very small chunks, and gives way between the chunks it reads."""

    def __init__(self, request: Any, incoming: IncomingBytes) -> None:
        super().__init__(request, incoming)
        self.limit_chunk_size_line = _MAX_CHUNK_LINE_BYTES
        self.limit_trailer_section = _MAX_TRAILER_BYTES
        self._share = incoming.share
        self._chunks = 0
        self._bytes = 0

    def parse_chunk_size(self, unreader: Any, data: bytes | None = None) -> tuple[int, bytes]:
        """Raises MalformedRequest beside what gunicorn's own raises."""
        self._share.spend()
        size, rest = super().parse_chunk_size(unreader, data)
        self._chunks += 1
        self._bytes += size
        if self._chunks > _FREE_CHUNKS and self._bytes < self._chunks * _MIN_MEAN_CHUNK_BYTES:
            raise MalformedRequest(CHUNKS_TOO_SMALL)
        return size, rest


class RequestBody(Body):  # type: ignore[misc]
    """`wsgi.input`. Reading raises MalformedRequest or RequestTimeout; then `failed` is set."""

    def __init__(self, reader: BoundedChunks | LengthReader, incoming: IncomingBytes) -> None:
        super().__init__(reader)
        self._incoming = incoming

    @property
    def left_bytes(self) -> int | None:
        """What the client has still to be read of; None where nobody can know."""
        if isinstance(self.reader, LengthReader):
            return int(self.reader.length)
        return 0 if self.reader.parser is None else None

    def must_close(self) -> bool:
        """Whether no other request can be read after this body, unless more of it is read first."""
        left = self.left_bytes
        if self.failed or left is None:
            return True
        return left > 0 and (left > MAX_DRAINED_BYTES or self._incoming.owes_continue)

    def _read_reader(self, size: int) -> bytes:
        wanted = min(size, self.left_bytes or 0)
        try:
            piece: bytes = super()._read_reader(size)
        except ParseException:
            raise MalformedRequest(BODY_MISFRAMED) from None
        except NoMoreData:
            raise _cut_short() from None
        if len(piece) < wanted:
            self.failed = True
            raise _cut_short()
        if self.left_bytes == 0:
            self._incoming.slot.work()
        return piece


def _cut_short() -> MalformedRequest:
    return MalformedRequest(BODY_CUT)
