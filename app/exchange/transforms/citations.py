"""Citations left out."""

from __future__ import annotations

from app.reply import CitedText, ReplyEvent


class HideCitations:
    """Citations are left out."""

    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        return [event for event in events if not isinstance(event, CitedText)]
