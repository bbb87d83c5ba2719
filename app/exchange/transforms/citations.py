"""Citations left out."""

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


class HideCitations:
    """Citations are left out, and what searches found."""

    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        return [event for event in events if not _is_citation(event)]


def _is_citation(event: ReplyEvent) -> bool:
    match event:
        case CitedText() | PagesFound():
            return True
        case ReplyStarted() | TextDelta() | ImageAdded() | ReasoningDelta() | ThoughtText() | ReplyFinished():
            return False
        case UpstreamCall() | ToolCalled():
            return False
        case _:
            assert_never(event)
