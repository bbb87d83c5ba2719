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
_MAX_TOLD_CHARS = 2 * MAX_CHARS


class DeliveredText:
    """One for each reply, used by its greenlet. Is given the events that were read."""

    __slots__ = ("_chars", "_is_good", "_is_thought", "_note", "_said", "_told", "_told_chars", "keeps")

    def __init__(self, note: Callable[[str, str, int], None], *, is_held: bool) -> None:
        """`note` is given the text of a whole answer, the same with what was thought (a line's end between),
        and which answer of its conversation it is.

        `is_held`: the conversation is kept in any case, since its client may come back by its id.
        """
        self._note = note
        self._said: list[str] = []
        self._chars = 0
        self._told: list[str] = []
        self._told_chars = 0
        self._is_thought = False
        self._is_good = True
        self.keeps = is_held
        """The conversation is kept when the reply is over."""

    def add(self, events: Iterable[ReplyEvent], turn: int, *, is_cut_short: bool) -> None:
        """`is_cut_short`: the upstream has said more than its client got."""
        for event in events:
            match event:
                case TextDelta() | ReasoningDelta() | ThoughtText():
                    self._tell(event)
                case ToolCalled():
                    self._is_good = False
                case ReplyFinished():
                    self._is_good = self._is_good and event.reason == "stop" and not is_cut_short
                    self._end(turn)
                case CitedText() | ImageAdded():
                    pass  # clients leave these out of what they send back, and so does the digest
                case ReplyStarted() | UpstreamCall() | PagesFound():
                    pass
                case _:
                    assert_never(event)
        if self._chars > MAX_CHARS or not self._is_good:
            self._is_good = False
            self._forget()

    def _tell(self, event: TextDelta | ReasoningDelta | ThoughtText) -> None:
        """Of very long thinking nothing is remembered, but the answer."""
        text, is_thought = event.text, not isinstance(event, TextDelta)
        if isinstance(event, ThoughtText):
            text = text.replace("<think>", "").replace("</think>", "")
        if not is_thought:
            self._said.append(text)
            self._chars += len(text)
        if is_thought is not self._is_thought:
            self._told.append("\n")
            self._is_thought = is_thought
        self._told.append(text)
        self._told_chars += len(text)
        if self._told_chars > _MAX_TOLD_CHARS:
            self._told.clear()

    def _end(self, turn: int) -> None:
        text = "".join(self._said)
        if self._is_good and self._chars <= MAX_CHARS and text.strip():
            self._note(text, "".join(self._told) or text, turn)
            self.keeps = True
        self._forget()

    def _forget(self) -> None:
        self._said.clear()
        self._told.clear()
