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

    __slots__ = (
        "_chars",
        "_has_thought",
        "_is_good",
        "_is_thought",
        "_note",
        "_said",
        "_told",
        "_told_chars",
        "keeps",
    )

    def __init__(self, note: Callable[[str, str, int], None], *, is_held: bool) -> None:
        """`note` is given the text of a whole answer, the same with what was thought (a line's end between),
        and which answer of its conversation it is.

        `is_held`: the conversation is kept in any case, since its client may come back by its id.
        """
        self._note = note
        self._said: list[str] = []
        self._chars = 0
        self._has_thought = False
        self._told: list[str] = []  # thinking and text, once there is thinking
        self._told_chars = 0
        self._is_thought = False
        self._is_good = True
        self.keeps = is_held
        """The conversation is kept when the reply is over."""

    def add(self, events: Iterable[ReplyEvent]) -> None:
        for event in events:
            if type(event) is TextDelta:  # these come by the thousand
                self._said.append(event.text)
                self._chars += len(event.text)
                if self._has_thought:
                    self._tell(event.text, is_thought=False)
            else:
                self._add_other(event)
        if self._chars > MAX_CHARS or not self._is_good:
            self._is_good = False
            self._forget()

    def _add_other(self, event: ReplyEvent) -> None:
        match event:
            case ReasoningDelta():
                self._think(event.text)
            case ThoughtText():
                self._think(event.text.replace("<think>", "").replace("</think>", ""))
            case ToolCalled():
                self._is_good = False
            case CitedText() | ImageAdded():
                pass  # clients leave these out of what they send back, and so does the digest
            case TextDelta() | ReplyStarted() | UpstreamCall() | PagesFound() | ReplyFinished():
                pass
            case _:
                assert_never(event)

    def end(self, end: ReplyFinished, turn: int, *, is_cut_short: bool) -> None:
        """`is_cut_short`: the upstream has said more than its client got."""
        text = "".join(self._said)
        is_whole = end.reason == "stop" and end.stop_sequence is None and not is_cut_short
        if is_whole and self._is_good and text.strip():
            self._note(text, "".join(self._told) or text, turn)
            self.keeps = True
        self._forget()

    def _think(self, text: str) -> None:
        if not self._has_thought:
            self._has_thought = True
            for said in self._said:
                self._tell(said, is_thought=False)
        self._tell(text, is_thought=True)

    def _tell(self, text: str, *, is_thought: bool) -> None:
        """Of very long thinking nothing is remembered, but the answer."""
        if is_thought is not self._is_thought:
            self._told.append("\n")
            self._is_thought = is_thought
        self._told.append(text)
        self._told_chars += len(text)
        if self._told_chars > _MAX_TOLD_CHARS:
            self._told.clear()

    def _forget(self) -> None:
        self._said.clear()
        self._told.clear()
