"""What a client was told, word for word: whether its conversation can be gone on with, and as what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from app.core.event import (
    CitedText,
    ImageAdded,
    PagesFound,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    TextDelta,
    ThoughtText,
    ToolCalled,
    UpstreamCall,
)

MAX_CHARS = 200_000
"""Of a longer answer nothing is remembered."""


class DeliveredText:
    """One for each reply, used by its greenlet. Is given the events that were read."""

    __slots__ = ("_chars", "_is_good", "_note", "_said", "keeps")

    def __init__(self, note: Callable[[str, int], None], *, is_held: bool) -> None:
        """`note` is given the text of a whole answer and which one of its conversation it is.

        `is_held`: the conversation is kept in any case, since its client may come back by its id.
        """
        self._note = note
        self._said: list[str] = []
        self._chars = 0
        self._is_good = True
        self.keeps = is_held
        """The conversation is kept when the reply is over."""

    def add(self, events: Iterable[ReplyEvent], turn: int, *, is_cut_short: bool) -> None:
        """`is_cut_short`: the upstream has said more than its client got."""
        for event in events:
            match event:
                case TextDelta():
                    self._said.append(event.text)
                    self._chars += len(event.text)
                case ToolCalled():
                    self._is_good = False
                case ReplyFinished():
                    self._is_good = self._is_good and event.reason == "stop" and not is_cut_short
                    self._end(turn)
                case CitedText() | ImageAdded() | ReasoningDelta() | ThoughtText():
                    pass  # clients leave these out of what they send back, and so does the digest
                case ReplyStarted() | UpstreamCall() | PagesFound():
                    pass
                case _:
                    assert_never(event)
        if self._chars > MAX_CHARS or not self._is_good:
            self._is_good = False
            self._said.clear()

    def _end(self, turn: int) -> None:
        text = "".join(self._said)
        if self._is_good and self._chars <= MAX_CHARS and text.strip():
            self._note(text, turn)
            self.keeps = True
        self._said.clear()
