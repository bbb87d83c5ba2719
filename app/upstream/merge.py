"""Turns one part's frames into text that is new, whatever style the upstream speaks (protocol notes 4.5).

A frame holds either all text so far (a snapshot) or only what is new (a delta). Usually the frame says which;
where it is silent, the pieces themselves must: text that was sent too early cannot be taken back, text that
was held for a moment can still follow.

The frames of one part in both styles, the last one finished and so with all of its text, and what comes out:

    method         pieces                            full text                new text, call by call
    feed_snapshot  "The Brocken", "The Brocken is"   "The Brocken is high."   "The Brocken", " is", " high."
    feed_delta     "The Brocken", " is"              "The Brocken is high."   "The Brocken", " is", " high."

Without a flag the same pieces go to feed_unknown. The second one settles it where it does not begin with the
first; where it does, both readings are open, and it is held until a later piece or the full text decides (or
the first one is long enough, _CERTAIN_CHARS, to make it a snapshot):

    feed_unknown   "The Brocken", " is"              "The Brocken is high."   "The Brocken", " is", " high."
    feed_unknown   "The Brocken", "The Brocken is"   "The Brocken is high."   "The Brocken", "", " is high."
    feed_unknown   "1", "10", "0"                    "1100"                   "1", "", "100", ""   (deltas)
    feed_unknown   "1", "10", "100"                  "100"                    "1", "", "", "00"    (snapshots)
"""

from __future__ import annotations

from typing import Literal

# A delta that begins with everything said so far is common for the first syllables, unheard of beyond this.
_CERTAIN_CHARS = 16
# Of what is held meanwhile; neither deltas nor parts are like that, so that snapshots are the better reading.
_MAX_HELD_PIECES = 16
_MAX_HELD_CHARS = 256
# Small strings take ten times their text, and joining them copies all of it.
_MIN_CONDENSED_PIECES = 1024
_CHARS_A_PIECE = 16


class PartText:
    """The text of one content item, merged from its pieces in order. Every method returns what is new."""

    __slots__ = ("_held", "_is_delta", "_length", "_pieces", "_text", "finished")

    def __init__(self) -> None:
        self._text = ""
        self._pieces: list[str] = []  # deltas after _text, joined only when somebody must compare
        self._length = 0  # of _text and _pieces together, which is what was sent
        self._held: list[str] | None = []  # pieces of unknown style; None once the style is known
        self._is_delta = False
        self.finished = False

    @property
    def text(self) -> str:
        """What was sent."""
        return self._join()

    @property
    def style(self) -> Literal["snapshot", "delta"] | None:
        """What the last piece was; None while that is open."""
        if self._held is not None:
            return None
        return "delta" if self._is_delta else "snapshot"

    @property
    def holds(self) -> bool:
        """Something came that was not sent, as nobody can tell yet how much of it is new, or half of what."""
        held = self._held or []
        return self._ends_in_half or len(held) > 1 or held != list(map(_drop_half, held))

    def settle(self) -> str:
        """Drop what is held, and take deltas from here on; what was sent is returned."""
        if self._ends_in_half:
            self._replace(self._join()[:-1])
        self._held, self._is_delta = None, True
        return self._join()

    def feed_full(self, text: str) -> str:
        """`text` is the part's final text. Where it does not extend what was sent, what was sent stays."""
        self.finished = True
        self._held = None
        return self._replace(text) if self.is_repeated_by(text) else ""

    def feed_delta(self, piece: str) -> str:
        """`piece` is only what is new."""
        owed = self.flush() if self._held is not None else ""
        self._is_delta = True
        return owed + self._append(piece)

    def feed_snapshot(self, text: str) -> str:
        """`text` is all text so far. A rewritten one adds what it has beyond the length of the last one."""
        self._held = None
        self._is_delta = False
        text = _drop_half(text)
        return self._replace(text) if len(text) > self._length else ""

    def extend(self, new: str) -> str:
        """A snapshot came that is the last one and `new`, neither with a half of a surrogate pair."""
        self._pieces.append(new)
        self._length += len(new)
        return new

    def feed_unknown(self, piece: str) -> str:
        """The frame does not say what `piece` is."""
        if self._held is not None:
            return self._weigh(piece, self._held)
        if self._is_delta and not self._repeats_everything(piece):
            return self._append(piece)
        return self._replace(piece) if len(piece) > self._length else ""

    def flush(self) -> str:
        """Another part begins or the answer ends: what is still held is read as snapshots."""
        held, self._held = self._held, None
        return self._replace(held[-1]) if held and len(held[-1]) > self._length else ""

    def is_repeated_by(self, text: str) -> bool:
        """Takes no longer than `text` is long, but for what was not joined yet where it is long enough."""
        return len(text) >= self._length and text.startswith(self._join())

    def condense(self) -> None:
        """Keep no more small pieces than the text is worth."""
        if len(self._pieces) > max(_MIN_CONDENSED_PIECES, self._length // _CHARS_A_PIECE):
            self._join()

    def _weigh(self, piece: str, held: list[str]) -> str:
        """Decide the style as soon as the pieces leave only one."""
        if not held:
            held.append(piece)
            return self._append(_drop_half(piece))
        before = held[-1]
        held.append(piece)
        if not piece.startswith(_drop_half(before)):
            self._held = None
            self._is_delta = True
            half = held[0].removeprefix(_drop_half(held[0]))
            return self._append(_join_halves(half + "".join(held[1:])))
        is_long = len(piece) > _MAX_HELD_CHARS or len(held) > _MAX_HELD_PIECES
        is_certain = len(before) >= _CERTAIN_CHARS or is_long
        return self.feed_snapshot(piece) if is_certain else ""

    def _repeats_everything(self, piece: str) -> bool:
        return len(piece) >= self._length >= _CERTAIN_CHARS and piece.startswith(self._join())

    @property
    def _ends_in_half(self) -> bool:
        """The first half of a surrogate pair was the last that came; the other one may follow."""
        last = self._pieces[-1] if self._pieces else self._text
        return not self.finished and last[-1:] != _drop_half(last[-1:])

    def _append(self, piece: str) -> str:
        if "\udc00" <= piece[:1] <= "\udfff" and self._ends_in_half:
            self._complete_pair(piece)
        else:
            self._pieces.append(piece)
            self._length += len(piece)
        return piece

    def _complete_pair(self, piece: str) -> None:
        """`piece` begins with the second half: full texts have the pair as one character."""
        half = (self._pieces[-1] if self._pieces else self._text)[-1]
        if self._pieces:
            self._pieces[-1] = self._pieces[-1][:-1]
        else:
            self._text = self._text[:-1]
        self._pieces.append(_join_halves(half + piece[0]) + piece[1:])
        self._length += len(piece) - 1

    def _replace(self, text: str) -> str:
        new = text[self._length :]
        self._text, self._length = text, len(text)
        self._pieces.clear()
        return new

    def _join(self) -> str:
        if self._pieces:
            self._text += "".join(self._pieces)
            self._pieces.clear()
        return self._text


def _drop_half(text: str) -> str:
    """Without half of a surrogate pair at its end: the next snapshot has the whole."""
    return text[:-1] if "\ud800" <= text[-1:] <= "\udbff" else text


def _join_halves(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
