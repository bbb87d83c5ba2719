"""One content item that speaks: its text so far, how that is rendered, and on which channel it is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from app.core.errors import UpstreamInvalid
from app.core.event import CitedText, ReplyEvent
from app.upstream.delta_writer import DeltaWriter
from app.upstream.frames import ContentItem
from app.upstream.merge import PartText

Key = tuple[str, int, str]  # logic id, index in the part's content, type
Feed = Callable[[PartText, str], str]

PART_BYTES = 1024
"""What a part takes beside its text."""

# No whole answer is as long, and rendering holds up everybody else.
_MAX_RENDERED_CHARS = 1_000_000


def choose_feed(item: ContentItem, increases: bool | None, *, is_full: bool) -> Feed:
    """How the text of `item` is merged; `increases` is the flag of its frame (protocol notes 4.5)."""
    if is_full:
        return PartText.feed_full
    if increases is None:
        # Items with a status of their own are of the era that knew only snapshots (protocol notes 4.4).
        return PartText.feed_unknown if item.status is None else PartText.feed_snapshot
    return PartText.feed_delta if increases else PartText.feed_snapshot


class Rendering(Protocol):
    """What is new goes in, what can be said comes out."""

    def passes(self, text: str) -> bool:
        """Whether `text` is said as it is, so that it need not be fed."""
        ...

    def feed(self, text: str) -> Sequence[str | CitedText]: ...

    def leave(self) -> Sequence[str | CitedText]:
        """Another item begins to speak; this one may go on later."""
        ...

    def finish(self, final: str) -> Sequence[str | CitedText]:
        """The item is complete and its whole text is `final`. Idempotent."""
        ...


class PartStream:
    """Without a rendering the text is said as it comes."""

    __slots__ = ("_channel", "_rendering", "key", "merged")

    def __init__(self, key: Key, channel: DeltaWriter, rendering: Rendering | None) -> None:
        self.key = key
        self.merged = PartText()
        self._channel = channel
        self._rendering = rendering

    def emit(self, text: str, events: list[ReplyEvent]) -> None:
        """Say text that is new."""
        if not text:
            return
        if self._rendering is None or self._rendering.passes(text):
            self._channel.emit(self.key, text, events)
        elif len(text) > _MAX_RENDERED_CHARS:
            raise UpstreamInvalid("The upstream sent more text at once than an answer has.")
        else:
            self._add(self._rendering.feed(text), events)

    def suspend(self, events: list[ReplyEvent]) -> None:
        """Another item begins to speak."""
        self.emit(self.merged.flush(), events)
        self.merged.condense()
        if self._rendering is not None:
            self._add(self._rendering.leave(), events)

    def finish(self, final: str, events: list[ReplyEvent]) -> None:
        """The item is complete; its whole text is `final`. Idempotent."""
        if self._rendering is not None:
            self._add(self._rendering.finish(final), events)

    def _add(self, said: Sequence[str | CitedText], events: list[ReplyEvent]) -> None:
        for piece in said:
            if isinstance(piece, str):
                self._channel.emit(self.key, piece, events)
            else:
                self._channel.emit_event(self.key, piece, events)
