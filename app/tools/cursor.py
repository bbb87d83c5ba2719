"""What was fed and is not yet read, for readers that wait where the text stops."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TypeVar

_T = TypeVar("_T")
# A reader: yields where it needs more text, returns what it read.
Reading = Generator[None, None, _T]

# Beyond it blanks count as text, so that no flood of them is held.
MAX_HELD_CHARS = 2 * 1024 * 1024

_BLANKS = re.compile(r"\s*")


class Cursor:
    """The text from `place` on. What is taken may still have to be given back as text: it is held so long."""

    def __init__(self) -> None:
        self.text = ""
        self.place = 0
        self.is_closed = False
        self.held_chars = 0
        self._held: list[str] = []

    def feed(self, piece: str) -> None:
        self.text = self.text[self.place :] + piece
        self.place = 0

    def more(self) -> Reading[bool]:
        """Wait for more text, or its end; False where it had ended before."""
        if self.is_closed:
            return False
        yield
        return True

    def is_empty(self) -> bool:
        return self.place >= len(self.text)

    def take(self, end: int) -> str:
        """Read up to index `end`, and hold it."""
        taken = self.text[self.place : end]
        self.place = end
        self._held.append(taken)
        self.held_chars += len(taken)
        return taken

    def take_held(self) -> str:
        """All that was taken since this was last called."""
        held = "".join(self._held)
        self._held.clear()
        self.held_chars = 0
        return held

    def skip_blanks(self) -> Reading[str]:
        """Take blanks, up to something else or the end of the text."""
        blanks = ""
        while True:
            match = _BLANKS.match(self.text, self.place)
            blanks += self.take(match.end() if match else self.place)
            if not self.is_empty() or not (yield from self.more()):
                return blanks
            if self.held_chars > MAX_HELD_CHARS:
                while self.is_empty() and (yield from self.more()):
                    pass
                return blanks

    def take_through(self, mark: str, most: int) -> Reading[str | None]:
        """Take up to and with `mark`; None where it does not come within `most` characters."""
        pieces: list[str] = []
        taken = 0
        while True:
            found = self.text.find(mark, self.place)
            end = found + len(mark) if found >= 0 else max(self.place, len(self.text) - len(mark) + 1)
            taken += end - self.place
            pieces.append(self.take(end))
            if taken > most:
                return None
            if found >= 0:
                return "".join(pieces)
            if not (yield from self.more()):
                self.take(len(self.text))
                return None
