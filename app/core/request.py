"""The question: what a client asks, in no client's format.

A format parses its own body into these values, and nothing below it knows where they came from. What may turn
out wrong later carries its `place`, the path by which the client knows it, for the error to name.
"""

from __future__ import annotations

from typing import BinaryIO, Literal

import msgspec

from app.core.effort import Effort
from app.core.errors import InvalidRequest
from app.core.tool import ANY_CHOICE, JsonOutput, SearchTool, Tool, ToolChoice, ToolKind

Role = Literal["system", "user", "assistant", "tool"]
ReasoningDisplay = Literal["content", "tags", "hidden"]


class TextPart(msgspec.Struct, frozen=True):
    text: str


class FilePart(msgspec.Struct, frozen=True):
    """A picture, a document or what cannot be attached. `url` is its address or a `data:` URL, else empty."""

    kind: str
    """`image`, `file`, or the word by which a retold turn names it."""
    url: str
    place: str
    name: str = ""
    unusable: InvalidRequest | None = None
    """Why it cannot be attached: raised where it would have to be, no matter where it is only retold."""


Part = TextPart | FilePart


class Call(msgspec.Struct, frozen=True):
    """A tool call of an earlier answer; `arguments` is its JSON as the client holds it, or the free text."""

    id: str
    name: str
    arguments: str
    kind: ToolKind = "function"


class Turn(msgspec.Struct, frozen=True):
    """One message of the conversation."""

    role: Role
    parts: tuple[Part, ...]
    name: str = ""
    """Of a result: the tool that gave it."""
    calls: tuple[Call, ...] = ()
    call_id: str = ""
    """Of a result: the call that it answers."""
    has_failed: bool = False
    """Of a result: the tool could not do it."""


class Question(msgspec.Struct, frozen=True):
    """What is asked, and how the answer shall be."""

    turns: tuple[Turn, ...]
    """At least one."""
    model: str
    continued_id: str | None = None
    """The upstream conversation to go on with, None for a new one."""
    continued_turn: int | None = None
    """Which of its answers this goes on from, which has to be the latest: all turns are new then. None: from
    whichever is the latest, and only the last turn is new."""
    keeps_conversation: bool | None = None
    """Whether the client may go on with it afterwards; None: unless it sends the history itself."""
    is_stored: bool = True
    """False: the client wants nothing kept once it is answered."""
    turns_place: str = "messages"
    """Where the client says the turns, in its own terms."""
    effort: Effort | None = None
    web_search: bool | None = None
    """None leaves it to the model's name."""
    deep_research: bool = False
    reasoning: ReasoningDisplay | None = None
    """Where thinking is shown; None leaves it to the model's name and the settings."""
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    tools: tuple[Tool, ...] = ()
    """What the client can do for the model; `choice` says which of them may be called now."""
    choice: ToolChoice = ANY_CHOICE
    search_tool: SearchTool | None = None
    json_output: JsonOutput | None = None

    @property
    def searches_natively(self) -> bool:
        """The upstream's own search serves the search tool: where that is the only tool, or the chosen one.

        Beside tools of the client's it is not offered: an answer can be asked to call, or to search.
        """
        if self.search_tool is None or self.choice.mode == "none" or self.json_output is not None:
            return False
        return self.search_tool.is_chosen or not self.tools

    @property
    def offered_tools(self) -> tuple[Tool, ...]:
        """What the model may hear of."""
        return () if self.searches_natively else self.tools


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes along with a question."""

    url: str
    name: str
    place: str
    file: BinaryIO | None = None
    """The file itself where the request brought it, `url` being empty then; not closed here."""
    media_type: str = ""
    is_optional: bool = False
    """Of an earlier turn: it goes along where it can still be had."""


class DrawingRequest(msgspec.Struct, frozen=True):
    """Pictures to draw. The words of style and scene are the upstream's (protocol notes 7)."""

    prompt: str
    model: str
    count: int
    aspect_ratio: str
    style: str = "none"
    scene: str = "none"
    wants_bytes: bool = False


class DrawnPicture(msgspec.Struct, frozen=True):
    """One picture to hand out; `data` is its base64 where that was asked for instead of the address."""

    url: str
    revised_prompt: str | None = None
    data: str | None = None


class VideoRequest(msgspec.Struct, frozen=True):
    """A video to film; the words of the three choices are the upstream's (protocol notes 8)."""

    prompt: str
    image_url: str | None = None
    style: str = ""
    atmosphere: str = ""
    camera: str = ""
    audio_id: str | None = None
    is_async: bool = False


class Video(msgspec.Struct, frozen=True):
    """A video as its client hears of it; the addresses are empty while it is made."""

    id: str
    is_finished: bool = False
    video_url: str = ""
    cover_url: str = ""
    duration: str = ""
    resolution: str = ""
    ordered_at: float | None = None
    expires_at: float | None = None
    """Unix time; known of those that can be asked for again."""
