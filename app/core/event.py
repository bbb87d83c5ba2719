"""Reply events: what an upstream answer says, step by step, in no client's format.

Who handles them matches every kind and ends in `assert_never`, so that a new one cannot vanish anywhere.
"""

from __future__ import annotations

from typing import Literal, final

import msgspec

FinishReason = Literal["stop", "content_filter", "length"]


@final
class ReplyStarted(msgspec.Struct, frozen=True, gc=False):
    """The upstream named the conversation. Comes once, before any delta."""

    conversation_id: str


@final
class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """Answer text that is new; never empty."""

    text: str


@final
class CitedText(msgspec.Struct, frozen=True, gc=False):
    """A citation in place: `text` is its Markdown link, `url` and `title` say what it leads to."""

    text: str
    url: str
    title: str


@final
class ImageAdded(msgspec.Struct, frozen=True, gc=False):
    """A drawn picture, as answer text and for itself.

    `text` is its Markdown, parted from what was said before; `revised_prompt` is what was drawn, None where
    the upstream does not say.
    """

    text: str
    url: str
    revised_prompt: str | None = None


@final
class ReasoningDelta(msgspec.Struct, frozen=True, gc=False):
    """Thinking that is new; never empty."""

    text: str


@final
class ThoughtText(msgspec.Struct, frozen=True, gc=False):
    """Thinking that the request wants to see in the text of the answer, tags included."""

    text: str


@final
class ReplyFinished(msgspec.Struct, frozen=True, gc=False):
    """The good end of the answer. Nothing follows."""

    reason: FinishReason


ReplyEvent = ReplyStarted | TextDelta | CitedText | ImageAdded | ReasoningDelta | ThoughtText | ReplyFinished
