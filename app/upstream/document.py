"""Reading the JSON of a short answer, within one time and one size."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from app.catalogue.upstream import BROKEN_WHILE_ANSWERING, NO_ANSWER_IN_TIME
from app.core.errors import UpstreamTimeout, UpstreamUnreachable
from app.core.half_pair import mend_half_pairs
from app.hub import cooperate
from app.upstream.body import BodyReader

_MAX_DOCUMENT_BYTES = 1024 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def read_document(body: BodyReader, encoding: str, left_seconds: Callable[[], float]) -> Any:
    """The document, None where it is something else or too long. `body` stays the caller's to close.

    Raises UpstreamUnreachable where it broke off, and what `left_seconds` raises when the time is over.
    """
    try:
        data = _read(body, left_seconds)
    except OSError as exc:
        raise UpstreamUnreachable(BROKEN_WHILE_ANSWERING) from exc
    try:
        document = _decompress(data, encoding)
    except zlib.error:
        return None
    return decode_document(document)


def decode_document(data: bytes) -> Any:
    """None where it is not JSON. Half a surrogate pair is read as U+FFFD."""
    document = _decode(data)
    if document is None and (mended := mend_half_pairs(data, cooperate)) is not None:
        return _decode(mended)
    return document


def _decode(data: bytes | bytearray) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _read(body: BodyReader, left_seconds: Callable[[], float]) -> bytes:
    data = bytearray()
    while piece := body.read(left_seconds()):
        data += piece
        if len(data) > _MAX_DOCUMENT_BYTES:
            return b""
    if piece is None:
        raise UpstreamTimeout(NO_ANSWER_IN_TIME)
    if body.is_cut:
        raise UpstreamUnreachable(BROKEN_WHILE_ANSWERING)
    return bytes(data)


def _decompress(data: bytes, encoding: str) -> bytes:
    """Asked for by nobody, but read where it can be. What is longer than a document may be is cut."""
    if encoding not in ("gzip", "deflate"):
        return data
    return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(data, _MAX_DOCUMENT_BYTES)
