"""One text that comes after a cut, held until it is sure how it goes on with what was said. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec

from app.core.errors import CutAnswer
from app.upstream.merge import PartText
from app.upstream.part_stream import Feed, Key

CERTAIN_CHARS = 32
_MAX_PERIODS = 64


class KnownText(msgspec.Struct, frozen=True, dict=True):
    """What an answer had said of one content item when it was cut; never empty."""

    key: Key
    text: str
    is_finished: bool
    is_partial: bool = False
    """More had come than is known: what follows the cut does not follow this text."""

    @cached_property
    def is_certain(self) -> bool:
        """It does not come again by chance: it is long, and not one piece over and over."""
        return len(self.text) >= CERTAIN_CHARS and not _is_periodic(self.text)


class Unjoinable(CutAnswer):
    """What comes fits in no way, or in more than one."""

    def __init__(self) -> None:
        super().__init__("The upstream's answer was cut, and could not be joined to what came after it.")


class Joint:
    """Gathers the text of one new part beside the known texts that it may repeat (`candidates`).

    Open until `restart`, `go_on` or `begin` says what it is; then `take` gives what the answer lacks.
    """

    __slots__ = (
        "_base",
        "_given",
        "_last",
        "_length",
        "_own",
        "candidates",
        "is_open",
        "key",
        "matched_chars",
        "target",
    )

    def __init__(self, key: Key, candidates: Sequence[KnownText]) -> None:
        self.key = key
        self.candidates = list(candidates)
        self.matched_chars = 0
        """How far a known text was repeated that turned out to be another one."""
        self.is_open = True
        self.target: KnownText | None = None
        """The known text that this one is a part of, once that is sure."""
        self._own = PartText()
        self._last = ""  # what was new in the last frame
        self._length = 0
        self._base = ""
        self._given = 0

    @property
    def text(self) -> str:
        return self._own.text

    @property
    def rest_of(self) -> str:
        """What was said and its rest so far, where this is the rest; else empty."""
        return self._base + self.text if self._base else ""

    @property
    def repeated(self) -> list[KnownText]:
        """The candidates that have come whole."""
        return [one for one in self.candidates if self._length >= len(one.text)]

    def feed(self, feed: Feed, piece: str) -> None:
        """Take the text of one frame, in whatever style."""
        new = feed(self._own, piece)
        for one in list(self.candidates) if self.is_open else ():
            left = len(one.text) - self._length
            if left > 0 and not one.text.startswith(new[:left], self._length):
                self.candidates.remove(one)
                common = _count_common(new, one.text[self._length : self._length + len(new)])
                self.matched_chars = max(self.matched_chars, self._length + common)
        self._length += len(new)
        self._last = new

    def restart(self, known: KnownText) -> None:
        """This is `known` again, from its start."""
        self._decide(known, "", len(known.text))

    def go_on(self, known: KnownText) -> None:
        """This is what was missing of `known`. Raises Unjoinable."""
        if known.is_partial:
            raise Unjoinable
        self._decide(known, known.text, 0)

    def begin(self) -> None:
        """This is a text of its own."""
        self._decide(None, "", 0)

    def _decide(self, target: KnownText | None, base: str, given: int) -> None:
        self.target, self._base, self._given, self.is_open = target, base, given, False

    def take(self) -> str:
        """What the answer does not have yet. Raises Unjoinable where a finished text goes on nevertheless."""
        lacking = max(0, self._length - self._given)
        new = (
            self.text[self._given :] if lacking > len(self._last) else self._last[len(self._last) - lacking :]
        )
        self._given = max(self._given, self._length)
        if new and self.target is not None and self.target.is_finished:
            raise Unjoinable
        return new

    def complete(self, full: str) -> str:
        """The whole text, `full` being what the last frame of this part shows. Raises Unjoinable.

        It may show what came after the cut, or all of it.
        """
        own = self.text
        is_rest, is_whole = full.startswith(own), bool(self._base) and full.startswith(self._base + own)
        if (is_rest and is_whole) or not (is_rest or is_whole):
            raise Unjoinable
        whole = full if is_whole else self._base + full
        if self.target is not None and not whole.startswith(self.target.text):
            raise Unjoinable
        return whole


def _count_common(one: str, other: str) -> int:
    """How many characters both begin with, as far as that matters."""
    pairs = zip(one[:CERTAIN_CHARS], other, strict=False)
    return next(
        (number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other), CERTAIN_CHARS)
    )


def _is_periodic(text: str) -> bool:
    """Whether a piece of at most half the text comes over and over. Of many suspects, yes."""
    head, period = text[:CERTAIN_CHARS], 0
    for _ in range(_MAX_PERIODS):
        period = text.find(head, period + 1)
        if period < 0 or period * 2 > len(text):
            # The last repetition may be too short for a whole head.
            return len(text) < 2 * CERTAIN_CHARS and _has_short_period(text)
        if text.startswith(text[period:]):
            return True
    return True


def _has_short_period(text: str) -> bool:
    return any(text.startswith(text[period:]) for period in range(1, len(text) // 2 + 1))
