"""Bodies that come compressed (RFC 9110 8.4), decoded piece by piece under the bound of plain ones."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from app.catalogue import request as says
from app.core.errors import InvalidRequest, UnsupportedEncoding
from app.hub import cooperate
from app.inflate import INFLATED_CODINGS, PIECE_BYTES, DamagedStream, Inflater

_CODING = re.compile(r"[a-z0-9_.+-]{1,20}")


def undo_content_coding(request: Request) -> None:
    """Have what is read of the body of `request` decoded. Call before anything of it is read.

    Raises UnsupportedEncoding; reading raises InvalidRequest where the bytes are not what they are said to
    be, and RequestEntityTooLarge.
    """
    environ = request.environ
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding in ("", "identity"):
        return
    if coding not in INFLATED_CODINGS:
        named = f"`{coding}`" if _CODING.fullmatch(coding) else says.OTHER_CODING
        raise UnsupportedEncoding(says.WRONG_CODING.fill(coding=named))
    environ["wsgi.input"] = _InflatedInput(environ["wsgi.input"], request.max_content_length)
    # How long the decoded body is nobody knows before its end.
    environ["wsgi.input_terminated"] = True
    environ.pop("CONTENT_LENGTH", None)
    request.__dict__.pop("content_length", None)


class _InflatedInput(io.RawIOBase):
    """A `wsgi.input` of decoded bytes. `max_bytes` bounds the compressed ones: some decode to nothing."""

    def __init__(self, stream: Any, max_bytes: int | None) -> None:
        self._pieces = _inflate(stream, max_bytes)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer)
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _inflate(stream: Any, max_bytes: int | None) -> Iterator[bytes]:
    inflater, taken = Inflater(), 0
    while data := stream.read(PIECE_BYTES):
        taken += len(data)
        if max_bytes is not None and taken > max_bytes:
            raise RequestEntityTooLarge
        try:
            for piece in inflater.feed(data):
                yield piece
                cooperate()
        except DamagedStream:
            raise InvalidRequest(says.NOT_AS_CODED) from None
    if taken and not inflater.is_whole:
        raise InvalidRequest(says.CODED_BREAKS_OFF)
