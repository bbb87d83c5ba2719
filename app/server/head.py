"""Where the head of a request ends, and when it has become too long. Pure: bytes in, a verdict out.

Each byte is looked at once, however small the pieces are that it comes in: gunicorn's own parser searches
all it holds with every piece, so a long head in small pieces would cost the square of its length. What is
wrong in another way than by its size is left to that parser, which gets the head as soon as its end is known.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from app.catalogue.request import HEAD_TOO_LONG, TOO_MANY_HEADERS
from app.server.error import HeadTooLarge

_CREDENTIALS = (b"authorization:", b"x-api-key:")
_NAME_BYTES = max(map(len, _CREDENTIALS))


class HeadLimits(msgspec.Struct, frozen=True):
    """`max_bytes` are for all but the fields of credentials, which have so many of their own together."""

    max_bytes: int = 128 * 1024
    max_credentials_bytes: int = 64 * 1024 + 64
    max_fields: int = 64
    max_request_line_bytes: int = 4094


class Verdict(Enum):
    """What to do with the bytes so far."""

    MORE = "the end has not come yet"
    COMPLETE = "the empty line has come"
    WRONG = "more bytes would not make it right"


class HeadScanner:
    """Fed with a head piece by piece; keeps only the beginning of the line that is not complete yet."""

    __slots__ = ("_bytes", "_credentials_bytes", "_ends_in_cr", "_limits", "_line_bytes", "_lines", "_name")

    def __init__(self, limits: HeadLimits) -> None:
        self._limits = limits
        self._bytes = 0
        self._credentials_bytes = 0
        # Complete ones that are not empty: the request line, then the fields.
        self._lines = 0
        # Of the line that is not complete yet: its beginning, its length, and how it ends so far.
        self._name = b""
        self._line_bytes = 0
        self._ends_in_cr = False

    def feed(self, piece: bytes) -> Verdict:
        """What follows the end of the head in `piece` is not looked at. Raises HeadTooLarge."""
        begin = 0
        while (end := piece.find(b"\n", begin) + 1) > 0:
            has_cr = piece[end - 2] == 0x0D if end - 1 > begin else self._ends_in_cr
            self._count(piece, begin, end)
            verdict = self._end_line() if has_cr else Verdict.WRONG
            if verdict is not Verdict.MORE:
                return verdict
            begin = end
        if begin < len(piece):
            self._count(piece, begin, len(piece))
        return Verdict.WRONG if self._lines == 0 and self._is_line_too_long() else Verdict.MORE

    def _is_line_too_long(self) -> bool:
        """As a request line, the first of all."""
        return self._line_bytes > self._limits.max_request_line_bytes + len(b"\r\n")

    def _end_line(self) -> Verdict:
        if self._lines == 0 and self._is_line_too_long():
            return Verdict.WRONG
        is_empty = self._line_bytes == len(b"\r\n")
        self._name, self._line_bytes, self._ends_in_cr = b"", 0, False
        if is_empty:
            # Before the request line one is overlooked: some clients send it after a body.
            is_first = self._bytes == len(b"\r\n")
            return Verdict.COMPLETE if self._lines else Verdict.MORE if is_first else Verdict.WRONG
        self._lines += 1
        if self._lines > self._limits.max_fields + 1:
            raise HeadTooLarge(TOO_MANY_HEADERS.fill(max_fields=self._limits.max_fields))
        return Verdict.MORE

    def _count(self, piece: bytes, begin: int, end: int) -> None:
        count = end - begin
        if len(self._name) < _NAME_BYTES:
            self._name = (self._name + piece[begin : min(end, begin + _NAME_BYTES)])[:_NAME_BYTES].lower()
        self._line_bytes += count
        self._bytes += count
        self._ends_in_cr = piece[end - 1] == 0x0D
        if self._name.startswith(_CREDENTIALS):
            self._credentials_bytes += count
        free = min(self._credentials_bytes, self._limits.max_credentials_bytes)
        if self._bytes - free > self._limits.max_bytes:
            raise HeadTooLarge(HEAD_TOO_LONG.fill(max_bytes=self._limits.max_bytes))
