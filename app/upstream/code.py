"""What the code interpreter ran and what came out of it, as fenced blocks (protocol notes 4.4)."""

from __future__ import annotations

import re
import sys

from app.upstream.held_bytes import HeldBytes

_MIN_FENCE = 3
_BETWEEN_BLOCKS = "\n\n"
_BACKTICKS = re.compile(r"`+")
# A line that may turn out to close the block, and one that does. Longer ones are not waited for.
_BEGUN_LINE = re.compile(r"\n {0,3}`{0,1000}[ \t]{0,1000}\Z")
_CLOSING_LINE = re.compile(r"\n {0,3}(`{3,})[ \t]*(?=\n|\Z)")


class Notebook:
    """What the code parts of one answer share: an output that comes again without new code is said once."""

    __slots__ = ("held", "last_output")

    def __init__(self, held: HeldBytes) -> None:
        self.held = held
        self.last_output: str | None = None


class CodeBlock:
    """The code of one part, said while it is written.

    The fence is longer than every run of backticks that is known when the block is opened. A line that comes
    later and would close the block ends it in good order and begins another one, with a longer fence.
    """

    __slots__ = ("_between", "_fence", "_held", "_notebook")

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._between = ""  # before the next block: the part that was interrupted goes on in another one
        self._fence = ""  # empty while no block is open
        self._held = ""

    def passes(self, text: str) -> bool:
        return False

    def feed(self, text: str) -> list[str]:
        if not text:
            return []
        self._notebook.last_output = None
        opening = ""
        if not self._fence:
            self._fence = _choose_fence(text)
            opening = f"{self._between}{self._fence}python"
            self._held = "\n"
        text = self._held + text
        begun = _BEGUN_LINE.search(text)
        end = begun.start() if begun else len(text)
        said = opening + self._guard(text, end)
        self._held = text[end:]
        return [said] if said else []

    def leave(self) -> list[str]:
        return self.finish("")

    def finish(self, final: str) -> list[str]:
        """Close the block. Should the code go on nevertheless, a new one is opened."""
        if not self._fence:
            return []
        rest = self._guard(self._held, len(self._held)) if self._held.strip() else ""
        closing = f"{rest}\n{self._fence}"
        self._fence = self._held = ""
        self._between = _BETWEEN_BLOCKS
        return [closing]

    def _guard(self, text: str, end: int) -> str:
        """`text` up to `end`, without a line that closes the block by chance."""
        guarded, position = "", 0
        for line in _CLOSING_LINE.finditer(text):
            if line.end() <= end and len(line[1]) >= len(self._fence):
                closing, self._fence = self._fence, _choose_fence(line[1])
                guarded += f"{text[position : line.start()]}\n{closing}{_BETWEEN_BLOCKS}{self._fence}python"
                position = line.start()
        return guarded + text[position:end]


class OutputBlock:
    """The output of one run: said as a whole once it is complete, since the fence must fit all of it."""

    __slots__ = ("_is_over", "_notebook", "_pieces")

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._pieces: list[str] = []
        self._is_over = False

    def passes(self, text: str) -> bool:
        return False

    def feed(self, text: str) -> list[str]:
        self._notebook.held.add(sys.getsizeof(text))
        self._pieces.append(text)
        return []

    def leave(self) -> list[str]:
        return self.finish("".join(self._pieces))

    def finish(self, final: str) -> list[str]:
        """Say `final`, the output as the upstream shows it in the end, or what came after that."""
        text = ("".join(self._pieces) if self._is_over else final).strip("\r\n")
        self._pieces.clear()
        if not text.strip():
            return []
        between = _BETWEEN_BLOCKS if self._is_over else ""
        self._is_over = True
        if text == self._notebook.last_output:
            return []
        self._notebook.last_output = text
        fence = _choose_fence(text)
        return [f"{between}{fence}text\n{text}\n{fence}"]


def _choose_fence(text: str) -> str:
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    return "`" * max(_MIN_FENCE, longest + 1)
