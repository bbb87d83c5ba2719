"""A chat completion request: JSON in, ChatRequest out, or InvalidRequest that names the place.

Every documented field is declared, so that a wrong type is refused even where the value is not used; unknown
fields are ignored, as newer clients send what older gateways never heard of. What stands in `content` and in
the fields of other APIs is read later, by content.py and foreign.py.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.formats.json_body import MAX_TEXT_CHARS, decode_body
from app.formats.schema import NO_SCHEMA

_NEW_CONVERSATION = frozenset({"", "none", "null", "undefined"})
_MAX_MODEL_CHARS = 256
# Far beyond what any client sends, and little enough to be decoded in a moment.
MAX_MESSAGES = 10_000
MAX_PARTS = 10_000
MAX_TOOLS = 10_000
_MAX_MODALITIES = 16
_MAX_STOPS = 4
_MAX_STOP_CHARS = 1000

NO_VALUE = msgspec.Raw(b"null")


class UnreadObject(msgspec.Struct, frozen=True, gc=False):
    """An object that nothing reads: what stands in it is skipped, not decoded."""


# Some languages write an empty object so.
EmptyList = Annotated[list[None], msgspec.Meta(max_length=0)]
Unread = UnreadObject | EmptyList

Parts = Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_PARTS)]


class CalledFunction(msgspec.Struct, frozen=True):
    """`arguments` is JSON as text; some providers keep the value itself."""

    name: str | None = None
    arguments: msgspec.Raw = NO_VALUE


class CalledCustom(msgspec.Struct, frozen=True):
    name: str | None = None
    input: msgspec.Raw = NO_VALUE


class ToolCall(msgspec.Struct, frozen=True):
    id: str | int | None = None
    type: str | None = None
    function: CalledFunction | None = None
    custom: CalledCustom | None = None


class Message(msgspec.Struct, frozen=True):
    """One turn. `content` may be missing where an assistant only called tools; content.py reads its parts."""

    role: str
    content: str | Parts | dict[str, Any] | int | float | bool | None = None
    name: str | None = None
    tool_calls: Annotated[list[ToolCall], msgspec.Meta(max_length=MAX_PARTS)] | None = None
    tool_call_id: str | int | None = None
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
    """Other types than function and custom are tools of other providers; GLM's own search is read."""

    type: str = "function"
    function: Function | None = None
    custom: Custom | None = None
    web_search: msgspec.Raw = NO_VALUE


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
    model: Annotated[str, msgspec.Meta(max_length=_MAX_MODEL_CHARS)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | EmptyList | None = None
    conversation_id: str | None = None
    reasoning_effort: str | None = None
    reasoning: msgspec.Raw = NO_VALUE
    web_search: bool | None = None
    web_search_options: Unread | None = None
    deep_research: bool | None = None
    progress: bool | None = None
    # What other APIs have for these; foreign.py says what it means.
    thinking: msgspec.Raw = NO_VALUE
    enable_thinking: msgspec.Raw = NO_VALUE
    think: msgspec.Raw = NO_VALUE
    chat_template_kwargs: msgspec.Raw = NO_VALUE
    include_reasoning: msgspec.Raw = NO_VALUE
    reasoning_format: msgspec.Raw = NO_VALUE
    enable_search: msgspec.Raw = NO_VALUE
    plugins: msgspec.Raw = NO_VALUE
    n: int | None = None
    tools: Annotated[list[ToolSpec], msgspec.Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: str | Choice | EmptyList | None = None
    response_format: ResponseFormat | EmptyList | None = None
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
        options = self.stream_options
        return isinstance(options, StreamOptions) and options.include_usage is True

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


# Numbers and switches may be text, as forms have them.
_decode_chat = msgspec.json.Decoder(ChatRequest, strict=False).decode


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
    if len(sequences) > _MAX_STOPS:
        raise InvalidRequest(f"`stop` may hold {_MAX_STOPS} sequences.", param="stop")
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
    if request.modalities and request.modalities != ["text"]:
        raise UnsupportedValue('`modalities` must be ["text"].', param="modalities")
