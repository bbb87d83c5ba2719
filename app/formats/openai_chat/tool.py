"""Tools, choices, past calls and JSON output of a chat completion request, as the question carries them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Call
from app.core.tool import ANY_CHOICE, ChoiceMode, JsonOutput, Tool, ToolChoice
from app.formats.json_body import decode_value
from app.formats.openai_chat import request as openai
from app.formats.schema import ToolSchemas, read_schema
from app.formats.unmet_choice import build_unmet_choice

_decode_json = msgspec.json.Decoder().decode
_MODES: dict[str, ChoiceMode] = {"auto": "auto", "none": "none", "required": "required", "any": "required"}


def uses_functions(request: openai.ChatRequest) -> bool:
    """The request is of 2023: `functions` in place of `tools`."""
    return bool(request.functions) and not request.tools


def build_tools(request: openai.ChatRequest) -> tuple[Tool, ...]:
    """Everything that is declared and can be called. Raises InvalidRequest that names the place."""
    if not request.tools and not request.functions:
        return ()
    tools: list[Tool] = []
    schemas = ToolSchemas()
    for declared, place in _list_tools(request):
        if isinstance(declared, openai.Custom):
            tools.append(Tool(declared.name, declared.description or "", kind="custom", place=place))
            continue
        parameters = schemas.read(declared.parameters, place, "parameters")
        description, size = declared.description or "", len(bytes(declared.parameters))
        tools.append(Tool(declared.name, description, parameters, place=place, schema_bytes=size))
    return tuple(tools)


def _list_tools(request: openai.ChatRequest) -> Iterator[tuple[openai.Function | openai.Custom, str]]:
    """Each with its place; tools of other types, which other providers run themselves, are skipped."""
    if uses_functions(request):
        for index, function in enumerate(request.functions or ()):
            yield function, f"functions.{index}"
    for index, tool in enumerate(request.tools or ()):
        if tool.type not in ("function", "custom"):
            continue
        declared = tool.function if tool.type == "function" else tool.custom
        place = f"tools.{index}.{tool.type}"
        if declared is None:
            raise InvalidRequest(f"A tool of type {tool.type} needs `{tool.type}`.", param=place)
        yield declared, place


def build_choice(request: openai.ChatRequest) -> ToolChoice:
    """Raises InvalidRequest for a choice that nobody knows."""
    if uses_functions(request):
        chosen = request.function_call
        if isinstance(chosen, openai.Named):
            return ToolChoice("named", (chosen.name,), is_parallel=False)
        return ToolChoice(_read_mode(chosen, "function_call"), is_parallel=False)
    is_parallel = request.parallel_tool_calls is not False
    choice = request.tool_choice
    if isinstance(choice, openai.Choice):
        return _build_narrowed(choice, is_parallel=is_parallel)
    if isinstance(choice, list):  # an empty one
        choice = None
    if choice is None and is_parallel:
        return ANY_CHOICE
    return ToolChoice(_read_mode(choice, "tool_choice"), is_parallel=is_parallel)


def check_choice(request: openai.ChatRequest, tools: Sequence[Tool], choice: ToolChoice) -> None:
    """Raises UnsupportedValue where a call is wanted and every tool that it could be of was skipped.

    A search alone is none of them: it is what the site then does (`choose_search`).
    """
    if not choice.is_forced or not request.tools or choice.names or (tools and choice.names is None):
        return
    kinds = [tool.type for tool in request.tools]
    if kinds != ["web_search"]:
        raise build_unmet_choice([kind for kind in kinds if kind not in ("function", "custom")])


def _read_mode(word: str | None, place: str) -> ChoiceMode:
    mode = _MODES.get((word or "auto").lower())
    if mode is None:
        raise InvalidRequest(f"`{place}` must be auto, none, required or name a tool.", param=place)
    return mode


def _build_narrowed(choice: openai.Choice, *, is_parallel: bool) -> ToolChoice:
    """One tool, or those that are allowed."""
    if choice.type == "allowed_tools" and choice.allowed_tools is not None:
        allowed = [tool.function or tool.custom for tool in choice.allowed_tools.tools]
        names = tuple([named.name for named in allowed if named is not None])
        return ToolChoice(_MODES[choice.allowed_tools.mode], names, is_parallel)
    named = choice.custom if choice.type == "custom" else choice.function
    if choice.type not in ("function", "custom") or named is None:
        raise InvalidRequest(
            "`tool_choice` must name a function, a custom tool or the allowed tools.", param="tool_choice"
        )
    return ToolChoice("named", (named.name,), is_parallel)


def build_calls(message: openai.Message) -> tuple[Call, ...]:
    """The calls that an earlier answer made, without those that name nothing."""
    calls = []
    for call in message.tool_calls or ():
        if call.function is not None:
            calls.append(Call(str(call.id or ""), call.function.name or "", _write(call.function.arguments)))
        elif call.custom is not None:
            text = _write(call.custom.input, "")
            calls.append(Call(str(call.id or ""), call.custom.name or "", text, "custom"))
    function = message.function_call
    if function is not None and not calls:
        calls.append(Call("", function.name or "", _write(function.arguments)))
    return tuple(calls)


def _write(arguments: msgspec.Raw, nothing: str = "{}") -> str:
    """Text as it is, else the value as JSON. Raises InvalidRequest for what is no JSON."""
    value = decode_value(_decode_json, arguments, "messages")
    if isinstance(value, str):
        return value
    return nothing if value is None or value == [] else msgspec.json.encode(value).decode()


def build_json_output(request: openai.ChatRequest) -> JsonOutput | None:
    """The JSON that the answer has to be, None for text. Raises UnsupportedValue for other formats."""
    wanted = request.response_format
    if not isinstance(wanted, openai.ResponseFormat) or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return JsonOutput(place="response_format")
    if wanted.type != "json_schema":
        raise UnsupportedValue(
            "`response_format` must be text, json_object or json_schema.", param="response_format.type"
        )
    if wanted.json_schema is None:
        raise InvalidRequest("`json_schema` is missing.", param="response_format.json_schema")
    place = "response_format.json_schema.schema"
    return JsonOutput(read_schema(wanted.json_schema.schema, place), place)
