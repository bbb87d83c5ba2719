"""A chat completion request: JSON in, ChatRequest out, or InvalidRequest that names the place.

Every documented field is declared, so that a wrong type is refused even where the value is not used; unknown
fields are ignored, as newer clients send what older gateways never heard of.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.formats.json_body import MAX_TEXT_CHARS, decode_body
from app.formats.schema import NO_SCHEMA

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]
ReasoningDisplay = Literal["content", "tags", "hidden"]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]

_NEW_CONVERSATION = frozenset({"", "none", "null", "undefined"})
_MAX_MODEL_CHARS = 256
# Far beyond what any client sends, and little enough to be decoded in a moment.
MAX_MESSAGES = 10_000
MAX_PARTS = 10_000
MAX_TOOLS = 10_000
_MAX_MODALITIES = 16
_MAX_STOPS = 4
_MAX_STOP_CHARS = 1000


class Unread(msgspec.Struct, frozen=True, gc=False):
    """An object that nothing reads: what stands in it is skipped, not decoded."""


class TextPart(msgspec.Struct, tag_field="type", tag="text", frozen=True):
    text: str


class RefusalPart(msgspec.Struct, tag_field="type", tag="refusal", frozen=True):
    refusal: str


class Link(msgspec.Struct, frozen=True):
    url: str


class ImageLink(msgspec.Struct, frozen=True):
    url: str
    detail: str | None = None


class ImagePart(msgspec.Struct, tag_field="type", tag="image_url", frozen=True):
    image_url: ImageLink


class FileData(msgspec.Struct, frozen=True):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(msgspec.Struct, tag_field="type", tag="file", frozen=True):
    file: FileData | None = None
    file_url: Link | None = None


class Audio(msgspec.Struct, frozen=True):
    data: str
    format: str


class AudioPart(msgspec.Struct, tag_field="type", tag="input_audio", frozen=True):
    input_audio: Audio


ContentPart = TextPart | RefusalPart | ImagePart | FilePart | AudioPart
Parts = Annotated[list[ContentPart], msgspec.Meta(max_length=MAX_PARTS)]


class CalledFunction(msgspec.Struct, frozen=True):
    """`arguments` is JSON as text; some clients send the object itself."""

    name: str = ""
    arguments: str | dict[str, Any] | None = ""


class CalledCustom(msgspec.Struct, frozen=True):
    name: str = ""
    input: str = ""


class ToolCall(msgspec.Struct, frozen=True):
    id: str | None = None
    type: str | None = None
    function: CalledFunction | None = None
    custom: CalledCustom | None = None


class Message(msgspec.Struct, frozen=True):
    """One turn. `content` may be missing where an assistant only called tools."""

    role: Role
    content: str | Parts | None = None
    name: str | None = None
    tool_calls: Annotated[list[ToolCall], msgspec.Meta(max_length=MAX_PARTS)] | None = None
    tool_call_id: str | None = None
    function_call: CalledFunction | None = None
    refusal: str | None = None


class StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class JsonSchema(msgspec.Struct, frozen=True):
    # As it came: what is decoded of schemas is bounded in sum.
    schema: msgspec.Raw = NO_SCHEMA
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, frozen=True):
    type: str
    json_schema: JsonSchema | None = None


class Function(msgspec.Struct, frozen=True):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = NO_SCHEMA
    strict: bool | None = None


class Custom(msgspec.Struct, frozen=True):
    name: str
    description: str | None = None
    format: Unread | None = None


class ToolSpec(msgspec.Struct, frozen=True):
    """Types other than function and custom are tools of other providers; nothing of theirs is read."""

    type: str = "function"
    function: Function | None = None
    custom: Custom | None = None


class Named(msgspec.Struct, frozen=True):
    name: str


class AllowedTool(msgspec.Struct, frozen=True):
    type: str = "function"
    function: Named | None = None
    custom: Named | None = None


class AllowedTools(msgspec.Struct, frozen=True):
    tools: Annotated[list[AllowedTool], msgspec.Meta(max_length=MAX_TOOLS)]
    mode: Literal["auto", "required"] = "auto"


class Choice(msgspec.Struct, frozen=True):
    """`{"type": "function", "function": {"name"}}`, or the allowed ones among the tools."""

    type: str = "function"
    function: Named | None = None
    custom: Named | None = None
    allowed_tools: AllowedTools | None = None


class ChatRequest(msgspec.Struct, frozen=True):
    """A valid request. Fields that nothing reads are here to be checked."""

    messages: Annotated[list[Message], msgspec.Meta(max_length=MAX_MESSAGES)]
    # Every chunk repeats it.
    model: Annotated[str, msgspec.Meta(max_length=_MAX_MODEL_CHARS)] = "glm"
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    conversation_id: str | None = None
    reasoning_effort: ReasoningEffort | None = None
    reasoning: ReasoningDisplay | None = None
    web_search: bool | None = None
    web_search_options: Unread | None = None
    deep_research: bool | None = None
    n: int | None = None
    tools: Annotated[list[ToolSpec], msgspec.Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: str | Choice | None = None
    response_format: ResponseFormat | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    audio: Unread | None = None
    frequency_penalty: float | None = None
    function_call: str | Named | None = None
    functions: Annotated[list[Function], msgspec.Meta(max_length=MAX_TOOLS)] | None = None
    logit_bias: Unread | None = None
    max_completion_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    metadata: Unread | None = None
    modalities: Annotated[list[str], msgspec.Meta(max_length=_MAX_MODALITIES)] | None = None
    moderation: Unread | None = None
    parallel_tool_calls: bool | None = None
    prediction: Unread | None = None
    presence_penalty: float | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Unread | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: str | None = None
    stop: str | list[str] | None = None
    store: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    user: str | None = None
    verbosity: str | None = None

    @property
    def include_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage is True

    @property
    def stop_sequences(self) -> tuple[str, ...]:
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def token_limit(self) -> int | None:
        """How long the answer may be; the smaller of the two bounds counts."""
        bounds = [bound for bound in (self.max_tokens, self.max_completion_tokens) if bound is not None]
        return min(bounds) if bounds else None

    @property
    def continued_id(self) -> str | None:
        """The upstream conversation to continue, None for a new one."""
        named = (self.conversation_id or "").strip()
        return None if named.lower() in _NEW_CONVERSATION else named


_decode_chat = msgspec.json.Decoder(ChatRequest).decode


def parse_chat_request(body: bytes, *, max_text_chars: int = MAX_TEXT_CHARS) -> ChatRequest:
    """Read and check a request body. Raises InvalidRequest, PromptTooLong or UnsupportedValue."""
    request = decode_body(_decode_chat, body, max_text_chars=max_text_chars)
    if not request.messages:
        raise InvalidRequest("`messages` is empty: send at least one message.", param="messages")
    _check_stop(request)
    _refuse_unsupported(request)
    return request


def _check_stop(request: ChatRequest) -> None:
    sequences = request.stop_sequences
    if request.stop is not None and not 1 <= len(sequences) <= _MAX_STOPS:
        raise InvalidRequest(f"`stop` must hold one to {_MAX_STOPS} sequences.", param="stop")
    for index, sequence in enumerate(sequences):
        if not 1 <= len(sequence) <= _MAX_STOP_CHARS:
            param = "stop" if isinstance(request.stop, str) else f"stop.{index}"
            raise InvalidRequest(f"A stop sequence must have 1 to {_MAX_STOP_CHARS} characters.", param=param)


def _refuse_unsupported(request: ChatRequest) -> None:
    """Refuse what would have to be faked."""
    if request.n is not None and request.n != 1:
        raise UnsupportedValue("`n` must be 1: the upstream gives one answer at a time.", param="n")
    if request.logprobs or request.top_logprobs:
        raise UnsupportedValue("`logprobs` are not available here.", param="logprobs")
    if request.modalities is not None and request.modalities != ["text"]:
        raise UnsupportedValue('`modalities` must be ["text"].', param="modalities")
