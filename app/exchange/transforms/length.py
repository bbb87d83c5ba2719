"""The longest answer that a request allows, in estimated tokens; thinking counts, as it does with OpenAI."""

from __future__ import annotations

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
from app.core.usage import TokenEstimate

_Counted = TextDelta | CitedText | ImageAdded | ReasoningDelta | ThoughtText | ToolCalled


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
                case ReplyStarted() | ReplyFinished() | UpstreamCall() | PagesFound():
                    pass
                case (
                    TextDelta() | CitedText() | ImageAdded() | ReasoningDelta() | ThoughtText() | ToolCalled()
                ):
                    estimate = self._count(event)
                    if self._is_exceeded():
                        return [*passed, *self._shorten(event, estimate), ReplyFinished("length")]
                case _:
                    assert_never(event)
            passed.append(event)
        if self._is_exceeded() and not (passed and isinstance(passed[-1], ReplyFinished)):
            passed.append(ReplyFinished("length"))
        return passed

    def _count(self, event: _Counted) -> TokenEstimate:
        """Add what the event says to its estimate, and return that."""
        estimate = self._thoughts if isinstance(event, ReasoningDelta | ThoughtText) else self._text
        estimate.add(_read_text(event))
        return estimate

    def _is_exceeded(self) -> bool:
        tokens = self._text.tokens + self._thoughts.tokens + self._hidden.tokens
        return tokens > self._max_tokens

    def _shorten(self, event: _Counted, estimate: TokenEstimate) -> list[ReplyEvent]:
        """The longest beginning that fits. Half a link, a picture or a call is nothing."""
        estimate.remove(_read_text(event))
        if isinstance(event, CitedText | ImageAdded | ToolCalled):
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


def _read_text(event: _Counted) -> str:
    return event.name + event.arguments if isinstance(event, ToolCalled) else event.text
