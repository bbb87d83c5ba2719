"""What a client was told, word for word: whether its conversation can be gone on with, and as what."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.core.event import ReplyEvent, ReplyFinished, TextDelta, ToolCalled

MAX_CHARS = 200_000
"""Of a longer answer nothing is remembered."""


class Witness:
    """One for each reply, used by its greenlet. Hears the events that were read."""

    __slots__ = ("_chars", "_is_good", "_note", "_said", "keeps")

    def __init__(self, note: Callable[[str, int], None], *, is_held: bool) -> None:
        """`note` hears the text of a whole answer and which one of its conversation it is.

        `is_held`: the conversation is kept in any case, since its client may come back by its id.
        """
        self._note = note
        self._said: list[str] = []
        self._chars = 0
        self._is_good = True
        self.keeps = is_held
        """The conversation is kept when the reply is over."""

    def hear(self, events: Iterable[ReplyEvent], turn: int, *, is_cut_short: bool) -> None:
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
        if self._chars > MAX_CHARS or not self._is_good:
            self._is_good = False
            self._said.clear()

    def _end(self, turn: int) -> None:
        text = "".join(self._said)
        if self._is_good and self._chars <= MAX_CHARS and text.strip():
            self._note(text, turn)
            self.keeps = True
        self._said.clear()
