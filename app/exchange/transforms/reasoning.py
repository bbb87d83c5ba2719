"""Thinking shown as text between tags, or not at all."""

from __future__ import annotations

from typing import assert_never

from app.catalogue.upstream import ONLY_THINKING
from app.core.errors import EmptyAnswer
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

_BETWEEN_PARTS = "\n\n"


class TagReasoning:
    """Thinking becomes text between `<think>` and `</think>`, for clients that know nothing else."""

    def __init__(self) -> None:
        self._is_open = False
        self._has_text = False

    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        tagged: list[ReplyEvent] = []
        for event in events:
            match event:
                case ReplyStarted() | UpstreamCall() | PagesFound():
                    tagged.append(event)
                case ReasoningDelta():
                    tagged.append(ThoughtText(self._think(event.text)))
                case (
                    TextDelta() | CitedText() | ImageAdded() | ThoughtText() | ToolCalled() | ReplyFinished()
                ):
                    tagged.extend(self._speak(event))
                case _:
                    assert_never(event)
        return tagged

    def _think(self, text: str) -> str:
        if self._is_open:
            return text
        text = "<think>\n" + text.removeprefix(_BETWEEN_PARTS)
        if self._has_text:
            text = _BETWEEN_PARTS + text
        self._is_open = self._has_text = True
        return text

    def _speak(
        self, event: TextDelta | CitedText | ImageAdded | ThoughtText | ToolCalled | ReplyFinished
    ) -> list[ReplyEvent]:
        self._has_text = True
        if not self._is_open:
            return [event]
        self._is_open = False
        if isinstance(event, ReplyFinished | ToolCalled):
            return [ThoughtText("\n</think>"), event]
        closing = ThoughtText("\n</think>" + _BETWEEN_PARTS)
        if not isinstance(event, TextDelta):
            return [closing, event]
        text = event.text.removeprefix(_BETWEEN_PARTS)
        return [closing, TextDelta(text)] if text else [closing]


class HideReasoning:
    """Thinking is counted and left out; an answer that is nothing else is an error, not an empty success."""

    def __init__(self, hidden: TokenEstimate) -> None:
        self._hidden = hidden
        self._has_text = False

    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        shown: list[ReplyEvent] = []
        for event in events:
            match event:
                case ReasoningDelta():
                    self._hidden.add(event.text)
                    continue
                case TextDelta() | CitedText() | ImageAdded() | ThoughtText() | ToolCalled():
                    self._has_text = True
                case ReplyFinished():
                    if event.reason == "stop" and not self._has_text:
                        raise EmptyAnswer(ONLY_THINKING)
                case ReplyStarted() | UpstreamCall() | PagesFound():
                    pass
                case _:
                    assert_never(event)
            shown.append(event)
        return shown
