"""The longest answer that a request allows, in estimated tokens; thinking counts, as it does with OpenAI."""

from __future__ import annotations

from typing import assert_never

from app.core.event import (
    CitedText,
    ImageAdded,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    TextDelta,
    ThoughtText,
)
from app.core.usage import TokenEstimate


class CutAtLength:
    """Cuts the answer where it would become longer than `max_tokens`; `hidden` counts what is not shown."""

    def __init__(self, max_tokens: int, hidden: TokenEstimate) -> None:
        self._max_tokens = max_tokens
        self._hidden = hidden
        self._text = TokenEstimate()
        self._thoughts = TokenEstimate()

    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        passed: list[ReplyEvent] = []
        for event in events:
            match event:
                case ReplyStarted() | ReplyFinished():
                    pass
                case TextDelta() | CitedText() | ImageAdded():
                    self._text.add(event.text)
                    if self._is_exceeded():
                        return [*passed, *self._shorten(event, self._text), ReplyFinished("length")]
                case ReasoningDelta() | ThoughtText():
                    self._thoughts.add(event.text)
                    if self._is_exceeded():
                        return [*passed, *self._shorten(event, self._thoughts), ReplyFinished("length")]
                case _:
                    assert_never(event)
            passed.append(event)
        if self._is_exceeded() and not (passed and isinstance(passed[-1], ReplyFinished)):
            passed.append(ReplyFinished("length"))
        return passed

    def _is_exceeded(self) -> bool:
        tokens = self._text.tokens + self._thoughts.tokens + self._hidden.tokens
        return tokens > self._max_tokens

    def _shorten(
        self,
        event: TextDelta | CitedText | ImageAdded | ReasoningDelta | ThoughtText,
        estimate: TokenEstimate,
    ) -> list[ReplyEvent]:
        """The longest beginning that fits. Half a link or half a picture is nothing."""
        estimate.remove(event.text)
        if isinstance(event, CitedText | ImageAdded):
            return []
        fits, too_long = 0, len(event.text)
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            estimate.add(event.text[:middle])
            if self._is_exceeded():
                too_long = middle
            else:
                fits = middle
            estimate.remove(event.text[:middle])
        return [type(event)(event.text[:fits])] if fits else []
