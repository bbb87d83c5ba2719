"""A Messages request: JSON in, MessagesRequest out, or InvalidRequest that names the place.

What is read is declared, and nothing else: clients of this API send new fields, new kinds of blocks and betas
as they please, and a gateway that refuses them breaks their users. So a block is one loose structure of all
that is read of any kind, and kinds that nobody knows are skipped.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from app.core.errors import InvalidRequest, ThreadsNotHeld
from app.formats.json_body import MAX_TEXT_CHARS, decode_body
from app.formats.schema import NO_SCHEMA

Role = Literal["user", "assistant", "system"]

_MAX_MODEL_CHARS = 256
# Far beyond what any client sends, and little enough to be decoded in a moment.
MAX_MESSAGES = 10_000
MAX_BLOCKS = 10_000
MAX_TOOLS = 10_000
_MAX_STOPS = 16
_MAX_STOP_CHARS = 1000


class Unread(msgspec.Struct, frozen=True, gc=False):
    """An object that nothing reads: what stands in it is skipped, not decoded."""


class Source(msgspec.Struct, frozen=True):
    """Where a picture or a document is: `base64`, `url`, `text`, `content` or `file`."""

    type: str = ""
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    content: str | Blocks | None = None


class ToolSpec(msgspec.Struct, frozen=True):
    """The client's own, or by `type` one of Anthropic's (`bash_20250124`, `web_search_20250305`)."""

    type: str | None = None
    name: str | None = None
    description: str | None = None
    defer_loading: bool | None = None
    input_schema: msgspec.Raw = NO_SCHEMA
    display_width_px: int | None = None
    display_height_px: int | None = None
    enable_zoom: bool | None = None


class ChangedTool(msgspec.Struct, frozen=True):
    """What a block adds or removes: a tool by name (`tool_reference`), or a new one (`tool_definition`)."""

    type: str = ""
    name: str | None = None
    definition: ToolSpec | None = None


class Block(msgspec.Struct, frozen=True):
    """A piece of content; `type` says which of the fields count."""

    type: str
    text: str | None = None
    source: str | Source | None = None
    title: str | None = None
    context: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = NO_SCHEMA
    tool_use_id: str | None = None
    content: str | Blocks | Unread | None = None
    is_error: bool | None = None
    tool_name: str | None = None
    tool: str | ChangedTool | None = None
    tool_changes: Blocks | None = None


Blocks = Annotated[list[Block], msgspec.Meta(max_length=MAX_BLOCKS)]


class Message(msgspec.Struct, frozen=True):
    """One turn. System turns may stand between the others."""

    role: Role
    content: str | Blocks


class Choice(msgspec.Struct, frozen=True):
    type: str = "auto"
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(msgspec.Struct, frozen=True):
    """`enabled`, `disabled` or `adaptive`; `display` may be `omitted`."""

    type: str = ""
    display: str | None = None


class OutputFormat(msgspec.Struct, frozen=True):
    type: str = ""
    # As it came: what is decoded of schemas is bounded in sum.
    schema: msgspec.Raw = NO_SCHEMA


class OutputConfig(msgspec.Struct, frozen=True):
    effort: str | None = None
    format: OutputFormat | None = None


class Thread(msgspec.Struct, frozen=True):
    """A conversation that Anthropic would hold: whoever goes on with one sends what is new alone."""


class MessagesRequest(msgspec.Struct, frozen=True):
    """A valid request."""

    messages: Annotated[list[Message], msgspec.Meta(max_length=MAX_MESSAGES)]
    # The answer repeats it.
    model: Annotated[str, msgspec.Meta(max_length=_MAX_MODEL_CHARS)] = "glm"
    system: str | Blocks | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    tools: Annotated[list[ToolSpec], msgspec.Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: Choice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    thread: Thread | None = None
    # A summary in place of an answer.
    compaction: Unread | None = None
    progress: bool | None = None


_decode_messages = msgspec.json.Decoder(MessagesRequest).decode


def parse_messages_request(body: bytes, *, max_text_chars: int = MAX_TEXT_CHARS) -> MessagesRequest:
    """Read and check a request body. Raises InvalidRequest, PromptTooLong or ThreadsNotHeld."""
    request = decode_body(_decode_messages, body, max_text_chars=max_text_chars)
    if request.thread is not None:
        raise ThreadsNotHeld(
            "`thread` is not available here: send the whole conversation without it.", param="thread"
        )
    if not request.messages:
        raise InvalidRequest("`messages` is empty: send at least one message.", param="messages")
    _check_stop(request.stop_sequences or [])
    return request


def _check_stop(sequences: list[str]) -> None:
    if len(sequences) > _MAX_STOPS:
        raise InvalidRequest(f"`stop_sequences` may hold {_MAX_STOPS} sequences.", param="stop_sequences")
    for index, sequence in enumerate(sequences):
        if not 1 <= len(sequence) <= _MAX_STOP_CHARS:
            raise InvalidRequest(
                f"A stop sequence must have 1 to {_MAX_STOP_CHARS} characters.",
                param=f"stop_sequences.{index}",
            )
