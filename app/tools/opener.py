"""Where a call may begin: in the dialect anywhere, in a foreign form only where nobody would quote it."""

from __future__ import annotations

import re
from typing import Literal

from app.tools.dialect import Dialect

# `own` is the dialect; `native` GLM's own markup; `object` a line `{"function_call": ...`; `fence` a code
# fence that may hold nothing but a call; `partial` may become one of them with the next characters.
Opener = Literal["own", "native", "object", "fence", "partial"]

NATIVE_OPENER = "<tool_call>"
OBJECT_KEY = '"function_call"'
# What models write behind the ticks of a fence around a call.
FENCE_LABELS = ("json", "xml", "tool_call")

_MAX_LINE_CHARS = 100
_FENCE_LINE = re.compile(r"[ \t]*(`{3,})([^`]*)")


class OpenerPattern:
    """Finds openers, and at the end of a text the beginning of one."""

    def __init__(self, dialect: Dialect) -> None:
        own = rf"(?P<own>{re.escape(dialect.opener)}(?=[\s/>]))"
        native = rf"(?P<native>{NATIVE_OPENER})"
        entry = rf"(?P<object>\{{\s{{0,64}}{OBJECT_KEY}\s{{0,8}}:)"
        begun = "|".join(
            (
                rf"{_begin(dialect.opener)}\Z",
                rf"{_begin(NATIVE_OPENER)}\Z",
                rf"\{{\s{{0,64}}(?:{OBJECT_KEY}\s{{0,8}}|{_begin(OBJECT_KEY)})?\Z",
                r"`{1,2}\Z",
            )
        )
        self._pattern = re.compile(rf"{own}|{native}|{entry}|(?P<fence>`{{3,}})|(?P<partial>{begun})")

    def search(self, text: str, place: int) -> re.Match[str] | None:
        """The next of them; which one is its `lastgroup`."""
        return self._pattern.search(text, place)

    def match(self, text: str, place: int) -> re.Match[str] | None:
        """The one that stands at `place`."""
        return self._pattern.match(text, place)


def _begin(word: str) -> str:
    """A pattern for `word` and each of its beginnings but the empty one."""
    pattern = ""
    for character in reversed(word[1:]):
        pattern = f"(?:{re.escape(character)}{pattern})?"
    return re.escape(word[0]) + pattern


class ShownText:
    """What of the text so far decides how the next is read: the line it stands on, and whether it is code."""

    def __init__(self) -> None:
        self._line = ""
        self._fence = 0

    def add(self, text: str) -> None:
        """Go on by `text`. Cheap where it has no code fence."""
        if "`" in text or "`" in self._line:
            *lines, rest = text.split("\n")
            for line in lines:
                self._end_line(self._line + line)
            self._line = self._line + rest if not lines else rest
        else:
            cut = text.rfind("\n")
            self._line = self._line + text if cut < 0 else text[cut + 1 :]
        if len(self._line) > _MAX_LINE_CHARS:
            # No beginning of a line and no fence any more, whatever comes; only the last character counts.
            self._line = "x" + self._line[-1]

    def _end_line(self, line: str) -> None:
        self._line = ""
        match = _FENCE_LINE.fullmatch(line)
        if match is None:
            return
        ticks = len(match[1])
        if not self._fence:
            self._fence = ticks
        elif ticks >= self._fence and not match[2].strip():
            self._fence = 0

    @property
    def is_code(self) -> bool:
        """Inside of a code fence."""
        return self._fence > 0

    @property
    def is_line_start(self) -> bool:
        return not self._line.strip()

    @property
    def ends_in_tick(self) -> bool:
        return self._line.endswith("`")
