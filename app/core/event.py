"""Reply events: what an upstream answer says, step by step, in no client's format.

Who handles them matches every kind and ends in `assert_never`, so that a new one cannot vanish anywhere.
"""

from __future__ import annotations

from typing import Literal, final

import msgspec

FinishReason = Literal["stop", "content_filter", "length", "tool_calls"]


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
class UpstreamCall(msgspec.Struct, frozen=True, gc=False):
    """A call that the upstream's model made in the upstream's own way (protocol notes 0.2 row 9).

    Told only where a request offers tools; `arguments` are as they came, and may lack their last brackets.
    Whether it is a call of the client's is not known yet, and clients never see this.
    """

    name: str
    arguments: str


class Page(msgspec.Struct, frozen=True, gc=False):
    """A page that a search found; `url` is http(s)."""

    url: str
    title: str


@final
class PagesFound(msgspec.Struct, frozen=True, gc=False):
    """The upstream searched the web: what it looked for, as far as it says so, and what it found.

    Told only where the client offers the model a search (`Question.searches_natively`).
    """

    queries: tuple[str, ...]
    pages: tuple[Page, ...]


@final
class ToolCalled(msgspec.Struct, frozen=True, gc=False):
    """A whole call of a tool of the client's: `arguments` is a JSON object, of a custom tool the free text.

    Nothing but further calls and the end follows.
    """

    id: str
    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"
    namespace: str | None = None


@final
class ReplyFinished(msgspec.Struct, frozen=True, gc=False):
    """The good end of the answer. Nothing follows."""

    reason: FinishReason
    stop_sequence: str | None = None
    """The request's own sequence that ended it, where one did."""


ReplyEvent = (
    ReplyStarted
    | TextDelta
    | CitedText
    | ImageAdded
    | ReasoningDelta
    | ThoughtText
    | UpstreamCall
    | PagesFound
    | ToolCalled
    | ReplyFinished
)
