"""Halves of surrogate pairs in JSON: escapes such as `\\ud83d` without the other half behind it. Pure.

Programs cut texts at a number of UTF-16 units, in the middle of an emoji too, and clients send the half in
every later request. JSON allows it (RFC 8259, 8.2), the decoder does not; browsers read U+FFFD, and so is it
read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# Looked over in one step: a few milliseconds, whatever stands there. More than a run of halves.
_SLICE_BYTES = 16 * 1024
_HIGH = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# What is whole, pairs too, and never the beginning of an escape; then any halves.
_STRETCH = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]|[dD][0-7])[0-9a-fA-F]{2}|%b%b)*+"
    rb"(?P<halves>(?:%b(?!%b)|%b){1,1000}+)?" % (_HIGH, _LOW, _HIGH, _LOW, _LOW),
    re.DOTALL,
)
_ESCAPE_BYTES = len(b"\\u0000")
_REPLACEMENT = b"\\ufffd"


def mend_half_pairs(body: bytes, give_way: Callable[[], object]) -> bytearray | None:
    """`body` with U+FFFD instead; None where there is nothing to mend. It may hold megabytes of halves."""
    pairs = HalfPairs(body)
    for _ in pairs.steps():
        give_way()
    return pairs.mended


def replace_half_pairs(text: str) -> str:
    """The same of a text that was decoded with its halves: what is alone is U+FFFD, pairs are joined."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class HalfPairs:
    """One look over `body`. `steps` does it, a slice a step; `mended` is None where nothing had to be."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.mended: bytearray | None = None

    def steps(self) -> Iterator[None]:
        """As far as the body is JSON: what is behind that is the decoder's to refuse."""
        size, position = len(self._body), 0
        while position < size:
            begun, position = position, self._mend_slice(position, min(size, position + _SLICE_BYTES))
            if position == begun:
                return
            yield

    def _mend_slice(self, begin: int, limit: int) -> int:
        """Returns where the next one begins, `begin` where what stands there is not JSON."""
        # A half at the end of the slice may be the first half of a pair.
        sure = limit if limit == len(self._body) else limit - _ESCAPE_BYTES
        position = begin
        for stretch in _STRETCH.finditer(self._body, begin, limit):
            halves_begin, halves_end = stretch.span("halves")
            if halves_end > sure:
                return halves_begin
            if stretch.end() == position:
                break
            position = stretch.end()
            if halves_end > 0:
                self._replace(halves_begin, halves_end)
        return position

    def _replace(self, begin: int, end: int) -> None:
        if self.mended is None:
            self.mended = bytearray(self._body)
        self.mended[begin:end] = _REPLACEMENT * ((end - begin) // _ESCAPE_BYTES)
