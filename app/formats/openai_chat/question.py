"""From a chat completion request to the neutral question."""

from __future__ import annotations

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import FilePart, Part, Question, Role, TextPart, Turn
from app.formats.openai_chat import request as openai
from app.formats.openai_chat.tool import build_calls, build_choice, build_json_output, build_tools

_ROLES: dict[openai.Role, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def build_question(request: openai.ChatRequest) -> Question:
    """What `request`, which was checked, asks."""
    return Question(
        turns=tuple([_build_turn(message, index) for index, message in enumerate(request.messages)]),
        model=request.model,
        continued_id=request.continued_id,
        effort=request.reasoning_effort,
        web_search=_wants_search(request),
        deep_research=request.deep_research is True,
        reasoning=request.reasoning,
        stop=request.stop_sequences,
        max_tokens=request.token_limit,
        tools=build_tools(request),
        choice=build_choice(request),
        json_output=build_json_output(request),
    )


def _wants_search(request: openai.ChatRequest) -> bool | None:
    if request.web_search is None and request.web_search_options is not None:
        return True
    return request.web_search


def _build_turn(message: openai.Message, index: int) -> Turn:
    return Turn(
        role=_ROLES[message.role],
        parts=_build_parts(message, f"messages.{index}.content"),
        name=message.name or "",
        calls=build_calls(message),
        call_id=message.tool_call_id or "",
    )


def _build_parts(message: openai.Message, place: str) -> tuple[Part, ...]:
    content = message.content
    if content is None:
        return (TextPart(message.refusal),) if message.refusal else ()
    if isinstance(content, str):
        return (TextPart(content),)
    return tuple([_build_part(part, f"{place}.{index}") for index, part in enumerate(content)])


def _build_part(part: openai.ContentPart, place: str) -> Part:
    match part:
        case openai.TextPart(text=text) | openai.RefusalPart(refusal=text):
            return TextPart(text)
        case openai.ImagePart(image_url=link):
            return FilePart("image", link.url, f"{place}.image_url.url")
        case openai.AudioPart():
            place = f"{place}.input_audio"
            words = "Sound cannot be attached: the upstream reads pictures and documents only."
            return FilePart("audio", "", place, unusable=UnsupportedValue(words, param=place))
        case openai.FilePart():
            return _build_file(part, place)


def _build_file(part: openai.FilePart, place: str) -> FilePart:
    name = (part.file.filename if part.file else None) or ""
    if part.file_url is not None:
        return FilePart("file", part.file_url.url, f"{place}.file_url.url", name)
    if part.file is not None and part.file.file_data:
        return FilePart("file", _as_data_url(part.file.file_data), f"{place}.file.file_data", name)
    unusable = _explain_missing(part.file, place)
    return FilePart("file", "", unusable.param or place, name, unusable)


def _explain_missing(file: openai.FileData | None, place: str) -> InvalidRequest:
    if file is None:
        return InvalidRequest("A file part needs `file_url` or `file`.", param=f"{place}.file")
    if file.file_id:
        return UnsupportedValue(
            "`file_id` is not available here: send the file as `file_data`, or its address as `file_url`.",
            param=f"{place}.file.file_id",
        )
    return InvalidRequest("A file needs `file_data`.", param=f"{place}.file.file_data")


def _as_data_url(file_data: str) -> str:
    """OpenAI takes bare base64 as well; an address has no place in this field."""
    return file_data if file_data[:5].lower() == "data:" else f"data:;base64,{file_data}"
