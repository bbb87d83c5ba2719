"""A Responses request: JSON in, ResponsesRequest out, or InvalidRequest that names the place.

What a newer client may send is skipped where it stands: unknown fields, and items, tools and parts of unknown
types. So items and tools stay bytes until their type is known.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from app.catalogue.path import NO_ANSWER_NAMED
from app.core.effort import Effort
from app.core.errors import AnswerNotHeld, InvalidRequest, UnsupportedValue
from app.formats.json_body import MAX_TEXT_CHARS, decode_body
from app.formats.openai_responses.identity import ResponseId, parse_response_id
from app.formats.schema import NO_SCHEMA

_MAX_MODEL_CHARS = 256
# Far beyond what any client sends, and little enough to be decoded in a moment.
MAX_ITEMS = 10_000
MAX_TOOLS = 10_000
_MAX_INCLUDED = 64
# As OpenAI has it: what comes back in the answer is little.
_MAX_PAIRS = 16
_MAX_KEY_CHARS = 64
_MAX_VALUE_CHARS = 512
_MAX_ECHOED_CHARS = 1000

_Key = Annotated[str, msgspec.Meta(max_length=_MAX_KEY_CHARS)]
_Value = Annotated[str, msgspec.Meta(max_length=_MAX_VALUE_CHARS)]
_Echoed = Annotated[str, msgspec.Meta(max_length=_MAX_ECHOED_CHARS)]


class Unread(msgspec.Struct, frozen=True, gc=False):
    """An object that nothing reads: what stands in it is skipped, not decoded."""


class Reasoning(msgspec.Struct, frozen=True):
    effort: Effort | None = None
    summary: _Echoed | None = None
    generate_summary: str | None = None


class TextFormat(msgspec.Struct, frozen=True):
    """The schema stands here itself, not in an object of its own as in chat completions."""

    type: _Echoed = "text"
    name: _Echoed | None = None
    schema: msgspec.Raw = NO_SCHEMA
    description: str | None = None
    strict: bool | None = None


class Text(msgspec.Struct, frozen=True):
    format: TextFormat | None = None
    verbosity: _Echoed | None = None


class ChosenTool(msgspec.Struct, frozen=True):
    """One of the tools of a choice; those of hosts have a type alone."""

    type: str = "function"
    name: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """A tool by its name or type, or the allowed ones among the tools."""

    type: str = "function"
    name: _Echoed | None = None
    mode: str | None = None
    tools: Annotated[list[ChosenTool], msgspec.Meta(max_length=MAX_TOOLS)] | None = None


class ResponsesRequest(msgspec.Struct, frozen=True):
    """A valid request. Fields that nothing reads are here to be checked, or to be given back."""

    input: str | Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_ITEMS)] | None = None
    model: Annotated[str, msgspec.Meta(max_length=_MAX_MODEL_CHARS)] = "glm"
    instructions: str | None = None
    stream: bool | None = None
    stream_options: Unread | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    tools: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: _Echoed | Choice | None = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: int | None = None
    reasoning: Reasoning | None = None
    text: Text | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    metadata: Annotated[dict[_Key, _Value], msgspec.Meta(max_length=_MAX_PAIRS)] | None = None
    include: Annotated[list[str], msgspec.Meta(max_length=_MAX_INCLUDED)] | None = None
    truncation: _Echoed | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    background: bool | None = None
    conversation: str | Unread | None = None
    prompt: Unread | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    user: str | None = None

    @property
    def previous(self) -> ResponseId | None:
        """The answer to go on from. Raises AnswerNotHeld for an id that is none of ours."""
        named = self.previous_response_id
        if not named:
            return None
        previous = parse_response_id(named)
        if previous is None:
            raise AnswerNotHeld(NO_ANSWER_NAMED.fill(named=named[:100]), param="previous_response_id")
        return previous


_decode_responses = msgspec.json.Decoder(ResponsesRequest).decode


def parse_responses_request(body: bytes, *, max_text_chars: int = MAX_TEXT_CHARS) -> ResponsesRequest:
    """Read and check a request body. Raises InvalidRequest or PromptTooLong."""
    request = decode_body(_decode_responses, body, max_text_chars=max_text_chars, text_place="input")
    if not request.input:
        raise InvalidRequest("`input` is empty: send a text or at least one item.", param="input")
    _refuse_unsupported(request)
    return request


def _refuse_unsupported(request: ResponsesRequest) -> None:
    """Refuse what would have to be faked."""
    if request.background:
        raise UnsupportedValue("`background` is not available here: nothing is stored.", param="background")
    if request.conversation is not None:
        raise UnsupportedValue(
            "`conversation` is not available here: go on with `previous_response_id`, or send all input.",
            param="conversation",
        )
    if request.prompt is not None:
        raise UnsupportedValue("`prompt` is not available here: no prompts are stored.", param="prompt")
    are_included = "message.output_text.logprobs" in (request.include or ())
    if request.top_logprobs or are_included:
        param = "include" if are_included else "top_logprobs"
        raise UnsupportedValue("`logprobs` are not available here.", param=param)
