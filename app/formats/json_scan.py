"""A look over a large JSON body before it is decoded: how many values and how much text it holds.

Decoding cannot give way and cannot be stopped, so what it would make is bounded here; files written out in
texts are cut. What is not JSON is left to the decoder. Pure; the time is in proportion to the length.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from app.catalogue.request import TEXT_TOO_LONG
from app.core.errors import InvalidRequest, PromptTooLong
from app.formats.written_file import MARK, measure_file

MAX_VALUES = 500_000
# A single character beyond ASCII may make each character of its string take four bytes.
MAX_WIDE_FILE_BYTES = 1024 * 1024
_SLICE_BYTES = 256 * 1024
# Each value but the first has one of these, and a string has two.
_NO_SIGNS = bytes(set(range(256)) - set(b'",{['))
# Copied at a time to count signs: so little takes the room of what was copied before.
_COPIED_BYTES = 64 * 1024
# Certainly no escaped one.
_QUOTE = re.compile(rb'[^\\]"')
# What a string costs besides its length, in the measure of a slice.
_STRING_COST_BYTES = 64
_MAX_ESCAPE_BYTES = len(b"\\u0000")
# Escapes are never cut; one that is none ends the look at its string, and the decoder says so.
_STRING_PIECE = re.compile(rb'(?:[^"\\]++|\\[^u]|\\u[0-9A-Fa-f]{4})*+', re.DOTALL)
_MAX_QUOTES = 256
# In a row before others get their turn: each costs a search of its own.
_MAX_MARKS = 500
_COLONS = (b":", b": ")
_BACKSLASH = ord("\\")
_WIDE_ESCAPE = re.compile(rb"\\u(?!00[0-7])")
# Fields that hold addresses, data: URLs and base64, in any of the formats.
_FILE_KEYS = frozenset({b"url", b"image_url", b"file_url", b"file_data", b"data"})
_MAX_KEY_BYTES = 16
# Fields that hold what is said, in any of the formats.
_TEXT_KEYS = frozenset({b"content", b"text", b"arguments", b"input", b"output"})


class JsonScan:
    """One look over `body`. `steps` does it, a slice a step: at a glance, and string by string where that
    does not bound everything."""

    def __init__(self, body: bytes, max_text_chars: int, text_place: str = "messages") -> None:
        self._text_place = text_place
        self._body = body
        self._max_text_chars = max_text_chars
        self._counts_text = len(body) > max_text_chars
        """A body of fewer bytes holds no more characters."""
        self._values = 0
        self._text_chars = 0
        self._spent_bytes = 0
        self._key = b""
        """The name of the field whose value comes next, where it is a short one."""
        self._last_string = b""
        self._cuts: list[tuple[int, int]] = []

    def trim(self) -> bytes:
        """The body without what was cut, once all steps are done."""
        if not self._cuts:
            return self._body
        whole = memoryview(self._body)
        begins = [0, *[end for _, end in self._cuts]]
        ends = [*[start for start, _ in self._cuts], len(self._body)]
        return b"".join([whole[begin:end] for begin, end in zip(begins, ends, strict=True)])

    def steps(self) -> Iterator[None]:
        """Raises InvalidRequest beyond MAX_VALUES, PromptTooLong beyond the text that is allowed."""
        is_bounded = False if self._counts_text else (yield from self._glance())
        if not is_bounded:
            yield from self._look()

    def _glance(self) -> Generator[None, None, bool]:
        """Whether there are few values in the body, no file to be cut and no string that is large.

        A sign that stands in a text counts as if it were structure, so that no string has to be taken apart.
        """
        body, signs = self._body, 0
        for begin in range(0, len(body), _SLICE_BYTES):
            if begin:
                yield
            limit = begin + _SLICE_BYTES
            if limit < len(body) and not _QUOTE.search(body, begin, limit):
                return False
            # Most texts lack the first character of the mark, and one is found faster than many.
            if body.find(MARK[:1], begin, limit) >= 0 and body.find(MARK, begin, limit + len(MARK) - 1) >= 0:
                return False
            for start in range(begin, limit, _COPIED_BYTES):
                signs += len(body[start : start + _COPIED_BYTES].translate(None, _NO_SIGNS))
            if signs > MAX_VALUES:
                return False
        return True

    def _look(self) -> Iterator[None]:
        body, size, position = self._body, len(self._body), 0
        while position < size:
            limit = min(size, position + _SLICE_BYTES)
            quote = body.find(b'"', position, limit)
            end = quote if quote >= 0 else limit
            self._note_structure(body[position:end])
            position = end
            if quote >= 0:
                position = yield from self._read_string(quote + 1)
            if self._spent_bytes >= _SLICE_BYTES:
                self._spent_bytes = 0
                yield

    def _read_string(self, start: int) -> Generator[None, None, int]:
        """Past the string that begins at `start`; returns where the body goes on."""
        body, size, position = self._body, len(self._body), start
        is_file, is_wide, may_hold_files = self._key in _FILE_KEYS, False, self._key in _TEXT_KEYS
        while True:
            piece = _read_piece(body, position, min(size, position + _SLICE_BYTES))
            begin, position = position, position + len(piece)
            if is_file:
                is_wide = is_wide or not piece.isascii() or _WIDE_ESCAPE.search(piece) is not None
                _check_width(position - start, is_wide=is_wide)
            elif may_hold_files:
                position = yield from self._read_words(start, begin, position)
            else:
                self._note_text(piece)
            if not piece or body[position : position + 1] == b'"':
                break
            yield
        self._note_values(1)
        self._spent_bytes += min(position - start, _SLICE_BYTES) + _STRING_COST_BYTES
        self._last_string = body[start:position] if position - start <= _MAX_KEY_BYTES else b""
        return position + 1

    def _read_words(self, start: int, begin: int, end: int) -> Generator[None, None, int]:
        """Note the text of a piece without files in it. Returns where the string goes on, `end` or beyond."""
        looked_at, marks = max(start, begin - len(MARK) + 1), 0
        while (mark := self._body.find(MARK, looked_at, end)) >= 0:
            marks += 1
            if marks % _MAX_MARKS == 0:
                yield
            looked_at = mark + len(MARK)
            cut = yield from measure_file(self._body, start, mark)
            if cut is not None:
                self._note_text(self._body[begin : cut[0]])
                self._cuts.append(cut)
                begin = looked_at = cut[1]
                if begin >= end:
                    return begin
        if self._counts_text:  # spares a copy of the piece
            self._note_text(self._body[begin:end])
        return end

    def _note_structure(self, between: bytes) -> None:
        """What stands between two strings."""
        if between in _COLONS:
            self._key = self._last_string
            return
        self._key = self._last_string if between.strip() == b":" else b""
        self._spent_bytes += len(between)
        self._note_values(between.count(b",") + between.count(b"{") + between.count(b"["))

    def _note_values(self, count: int) -> None:
        self._values += count
        if self._values > MAX_VALUES:
            raise InvalidRequest(f"The request body holds more than {MAX_VALUES} names and values.")

    def _note_text(self, piece: bytes) -> None:
        if not self._counts_text:
            return
        chars = len(piece) if piece.isascii() else len(piece.decode(errors="ignore"))
        self._text_chars += chars - 5 * piece.count(b"\\u")
        if self._text_chars > self._max_text_chars:
            raise PromptTooLong(
                TEXT_TOO_LONG.fill(max_chars=self._max_text_chars),
                param=self._text_place,
            )


def _read_piece(body: bytes, start: int, limit: int) -> bytes:
    """Of a string, up to its end or to `limit`, and never the half of an escape.

    From quote to quote: many texts hold an escape for every character, and few of them are quotes. Where
    many are, the pattern is faster, which goes from escape to escape.
    """
    begin = start
    for _ in range(_MAX_QUOTES):
        quote = body.find(b'"', begin, limit)
        if quote < 0:
            return body[start : _find_cut(body, begin, limit)]
        if body[quote - 1] != _BACKSLASH:
            return body[start:quote]
        # One alone escapes it, as nearly all do.
        if body[quote - 2] == _BACKSLASH and not _count_backslashes(body, begin, quote) % 2:
            return body[start:quote]
        begin = quote + 1
    found = _STRING_PIECE.match(body, begin, limit)
    return body[start : found.end() if found else begin]


def _find_cut(body: bytes, begin: int, limit: int) -> int:
    """`limit`, or where the escape begins that it would cut."""
    escape = body.rfind(b"\\", max(begin, limit - _MAX_ESCAPE_BYTES), limit)
    if escape >= 0 and _count_backslashes(body, begin, escape + 1) % 2:
        size = _MAX_ESCAPE_BYTES if body[escape + 1 : escape + 2] == b"u" else 2
        return escape if escape + size > limit else limit
    return limit


def _count_backslashes(body: bytes, begin: int, end: int) -> int:
    """How many stand in a row before `end`; what stands before `begin` belongs to something else."""
    before = body[begin:end]
    return len(before) - len(before.rstrip(b"\\"))


def _check_width(size_bytes: int, *, is_wide: bool) -> None:
    if is_wide and size_bytes > MAX_WIDE_FILE_BYTES:
        raise InvalidRequest(
            "A file that is sent inside the request must be ASCII: base64, or percent-encoded throughout."
        )
