"""Finds known pieces of text in a reading, at a cost that does not grow with how many are known.

Every piece is entered by stretches of GRAM_CHARS of it; a text is looked up stretch by stretch. Changes are
not thread-safe; looking up while something changes is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import msgspec

GRAM_CHARS = 12
# So far apart lie the stretches by which a quotable piece is entered.
_STEP_CHARS = 16
MIN_QUOTED_CHARS = GRAM_CHARS + _STEP_CHARS - 1
"""So much of a quotable piece is always found, whatever it was cut out of."""

# Whoever sends thousands of texts with one ending hides those beyond this many, which are his own.
_MAX_ALIKE = 8


class Piece(msgspec.Struct, frozen=True, eq=False):
    """What to look for, as `fold` returns it."""

    text: str
    is_quotable: bool = False
    """A long stretch of it is found as well as the whole."""
    may_be_split: bool = False
    """Found also where blanks stand between its characters."""
    first_quotable: int = 0
    """Before this character everybody's begin alike: it is no secret without what follows."""


_Entry = tuple[Piece, int]


class Index:
    """Pieces in, places out."""

    def __init__(self) -> None:
        self._grams: dict[str, tuple[_Entry, ...]] = {}
        self._short: Counter[Piece] = Counter()  # shorter than a stretch: the operator's alone, and few
        self.min_chars = math.inf
        """Nothing shorter holds anything that is known; infinite where nothing ever was."""

    def __len__(self) -> int:
        return len(self._grams) + len(self._short)

    def add(self, piece: Piece) -> None:
        self.min_chars = min(self.min_chars, len(piece.text), GRAM_CHARS)
        if len(piece.text) < GRAM_CHARS:
            self._short[piece] += 1
            return
        for place in _list_places(piece):
            gram = piece.text[place : place + GRAM_CHARS]
            alike = self._grams.get(gram, ())
            if sum(other.is_quotable == piece.is_quotable for other, _ in alike) < _MAX_ALIKE:
                self._grams[gram] = (*alike, (piece, place))

    def remove(self, piece: Piece) -> None:
        self._short.pop(piece, None)
        for place in _list_places(piece) if len(piece.text) >= GRAM_CHARS else ():
            gram = piece.text[place : place + GRAM_CHARS]
            left = tuple(entry for entry in self._grams.get(gram, ()) if entry[0] is not piece)
            if left:
                self._grams[gram] = left
            else:
                self._grams.pop(gram, None)

    def find(self, text: str) -> Iterator[tuple[int, int, Piece]]:
        """Begin, end and piece of what stands in `text`; places may overlap."""
        for piece in list(self._short):
            begin = text.find(piece.text)
            while begin >= 0:
                yield begin, begin + len(piece.text), piece
                begin = text.find(piece.text, begin + 1)
        grams = self._grams
        hits = [at for at in range(len(text) - GRAM_CHARS + 1) if text[at : at + GRAM_CHARS] in grams]
        done = 0
        for at in hits:
            if at + GRAM_CHARS > done:
                for piece, place in grams.get(text[at : at + GRAM_CHARS], ()):
                    begin, end = _extend(text, at, piece, place)
                    if end - begin == len(piece.text) or (
                        piece.is_quotable and end - begin >= MIN_QUOTED_CHARS
                    ):
                        yield begin, end, piece
                        done = max(done, end)


def _list_places(piece: Piece) -> list[int]:
    last = len(piece.text) - GRAM_CHARS
    if not piece.is_quotable:
        return [last]
    return [*range(min(piece.first_quotable, last), last, _STEP_CHARS), last]


def _extend(text: str, at: int, piece: Piece, place: int) -> tuple[int, int]:
    """The longest stretch around `at` that `text` and the piece have in common."""
    if not piece.is_quotable:
        begin = at - place
        whole = begin >= 0 and text.startswith(piece.text, begin)
        return (begin, begin + len(piece.text)) if whole else (at, at)
    begin, first = at, place
    while begin > 0 and first > 0 and text[begin - 1] == piece.text[first - 1]:
        begin, first = begin - 1, first - 1
    end, last = at + GRAM_CHARS, place + GRAM_CHARS
    while end < len(text) and last < len(piece.text) and text[end] == piece.text[last]:
        end, last = end + 1, last + 1
    return begin, end
