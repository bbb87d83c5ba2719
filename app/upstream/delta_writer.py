"""The two texts of an answer, what is said and what is thought: parts set apart, halved characters joined."""

from __future__ import annotations

import re
from collections.abc import Callable

from app.core.event import ReplyEvent

_BETWEEN_PARTS = "\n\n"
_SURROGATE = re.compile("[\ud800-\udfff]")


class DeltaWriter:
    """Turns the texts of parts into events; `build` makes one of a plain text."""

    __slots__ = ("_build", "_half", "_half_key", "_last_key", "has_text")

    def __init__(self, build: Callable[[str], ReplyEvent]) -> None:
        self._build = build
        self._half = ""  # of a surrogate pair that two deltas of one part share
        self._half_key: object = None
        self._last_key: object = None
        self.has_text = False

    def emit(self, key: object, text: str, events: list[ReplyEvent]) -> None:
        """Add the event for `text`, parted from what another part said before."""
        if self._half or (not text.isascii() and _SURROGATE.search(text)):
            text = self._pair(key, text)
        if not text:
            return
        if key != self._last_key:
            text = self.part(key) + text
        events.append(self._build(text))

    def emit_event(self, key: object, event: ReplyEvent, events: list[ReplyEvent]) -> None:
        """Add an event whose text is more than text, so that what parts it from others stands before it."""
        self._half = ""
        if between := self.part(key):
            events.append(self._build(between))
        events.append(event)

    def forget_half(self) -> None:
        """What comes next has the character whole."""
        self._half = ""

    def part(self, key: object) -> str:
        """What parts the text of `key`, which comes next, from what another part said before."""
        is_parted = key != self._last_key and self.has_text
        self._last_key = key
        self.has_text = True
        return _BETWEEN_PARTS if is_parted else ""

    def _pair(self, key: object, text: str) -> str:
        """Join halves of surrogate pairs; one that stays alone cannot be sent as UTF-8 and becomes U+FFFD."""
        if key == self._half_key:
            text = self._half + text
        self._half_key = key
        self._half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return text.removesuffix(self._half).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
