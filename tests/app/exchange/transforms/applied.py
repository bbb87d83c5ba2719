"""Transforms applied to listed events, as a reply does it."""

from __future__ import annotations

from app.core.event import CitedText, ImageAdded, ReplyEvent, ReplyFinished, TextDelta, ThoughtText
from app.core.usage import TokenEstimate
from app.exchange.transforms.options import OutputOptions

STOPPED = ReplyFinished("stop")
LINK = CitedText("[1](http://a.b)", "http://a.b", "a")
PICTURE = ImageAdded("\n\n![image](http://a.b)", "http://a.b")


def apply(
    options: OutputOptions, batches: list[list[ReplyEvent]], hidden: TokenEstimate | None = None
) -> list[ReplyEvent]:
    """Everything that comes out, as a reply reads it: nothing is fed after the end."""
    transforms = options.build_transforms(hidden or TokenEstimate())
    passed: list[ReplyEvent] = []
    for events in batches:
        for transform in transforms:
            events = transform.apply(events)  # noqa: PLW2901 - as the reply does it
        passed.extend(events)
        if events and isinstance(events[-1], ReplyFinished):
            break
    return passed


def say(*pieces: str) -> list[list[ReplyEvent]]:
    batches: list[list[ReplyEvent]] = [[TextDelta(piece)] for piece in pieces]
    return [*batches, [STOPPED]]


def read(events: list[ReplyEvent]) -> tuple[str, str]:
    """The text, and how it ended."""
    end = events[-1]
    assert isinstance(end, ReplyFinished)
    texts = (TextDelta, CitedText, ImageAdded, ThoughtText)
    return "".join(event.text for event in events if isinstance(event, texts)), end.reason
