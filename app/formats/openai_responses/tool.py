"""Tools, choices and JSON output of a Responses request, as the question carries them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Annotated

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.tool import ANY_CHOICE, ChoiceMode, JsonOutput, SearchTool, Tool, ToolChoice
from app.formats.json_body import decode_value
from app.formats.openai_responses.client_tool import CLIENT_TOOLS, Declaration, read_client_tool
from app.formats.openai_responses.request import (
    MAX_TOOLS,
    Choice,
    ChosenTool,
    ResponsesRequest,
    TextFormat,
    Unread,
)
from app.formats.schema import NO_SCHEMA, ToolSchemas, read_schema
from app.formats.unmet_choice import build_unmet_choice

_MODES: dict[str, ChoiceMode] = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
_SEARCH = "web_search"
"""With it begin the types of every version: web_search, web_search_preview, web_search_2025_08_26..."""


class Kind(msgspec.Struct, frozen=True):
    type: str = "function"


class Function(msgspec.Struct, frozen=True):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = NO_SCHEMA
    strict: bool | None = None


class NestedFunction(msgspec.Struct, frozen=True):
    """As chat completions have it; some clients send their tools so to either."""

    function: Function | Unread | None = None


class Grammar(msgspec.Struct, frozen=True):
    type: str = "text"
    syntax: str = ""
    definition: str = ""


class Custom(msgspec.Struct, frozen=True):
    name: str
    description: str | None = None
    format: Grammar | None = None


class Namespace(msgspec.Struct, frozen=True):
    name: str
    tools: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_TOOLS)] = []


class Nesting(msgspec.Struct, frozen=True):
    function: msgspec.Raw = NO_SCHEMA


class Declared(msgspec.Struct, frozen=True):
    """What the request offers the model, and how free it is to use that."""

    tools: tuple[Tool, ...]
    choice: ToolChoice
    search_tool: SearchTool | None


_decode_kind = msgspec.json.Decoder(Kind).decode
_decode_function = msgspec.json.Decoder(Function).decode
_decode_nesting = msgspec.json.Decoder(Nesting).decode
_decode_custom = msgspec.json.Decoder(Custom).decode
_decode_declaration = msgspec.json.Decoder(Declaration).decode
_decode_namespace = msgspec.json.Decoder(Namespace).decode


def build_declared(
    request: ResponsesRequest, added: Iterable[tuple[str, Sequence[msgspec.Raw]]] = ()
) -> Declared:
    """Of the request's own tools, and of those `added` elsewhere, each list with its place.

    Raises InvalidRequest that names the place.
    """
    reader = _ToolReader()
    lists = [("tools", request.tools or ()), *added]
    tools = tuple(chain.from_iterable([reader.read(entries, place) for place, entries in lists]))
    choice, wants_search = _build_choice(request)
    if wants_search and not reader.has_search:
        raise InvalidRequest("`tool_choice` names `web_search`, which no tool declares.", param="tool_choice")
    if choice.is_forced and any(entries for _, entries in lists):
        _check_forced(tools, choice, reader)
    search_tool = SearchTool(is_chosen=wants_search) if reader.has_search else None
    return Declared(tools, choice, search_tool)


def _check_forced(tools: Sequence[Tool], choice: ToolChoice, reader: _ToolReader) -> None:
    """Raises UnsupportedValue where none of the tools that a call is wanted of can be called here."""
    if choice.names or (choice.names is None and (tools or reader.has_search)):
        return
    raise build_unmet_choice(reader.skipped)


class _ToolReader:
    """Reads tools one by one; those of types that nobody here knows are skipped."""

    def __init__(self) -> None:
        self._schemas = ToolSchemas()
        self.has_search = False
        self.skipped: list[str] = []
        """Their types."""

    def read(
        self, entries: Sequence[msgspec.Raw], place: str, namespace: str | None = None
    ) -> Iterator[Tool]:
        for index, entry in enumerate(entries):
            here, data = f"{place}.{index}", bytes(entry)
            kind = decode_value(_decode_kind, data, here).type
            if kind == "function":
                yield self._read_function(data, here, namespace)
            elif kind == "custom":
                custom = decode_value(_decode_custom, data, here)
                yield Tool(
                    custom.name, _describe_custom(custom), kind="custom", namespace=namespace, place=here
                )
            elif kind == "namespace" and namespace is None:
                group = decode_value(_decode_namespace, data, here)
                yield from self.read(group.tools, f"{here}.tools", group.name)
            elif kind.startswith(_SEARCH):
                self.has_search = True
            elif kind in CLIENT_TOOLS and (tool := self._read_client_tool(data, here)):
                yield tool
            else:
                self.skipped.append(kind)

    def _read_client_tool(self, data: bytes, place: str) -> Tool | None:
        return read_client_tool(decode_value(_decode_declaration, data, place), place)

    def _read_function(self, data: bytes, place: str, namespace: str | None) -> Tool:
        nested = bytes(decode_value(_decode_nesting, data, place).function)
        if nested[:1] == b"{":
            data, place = nested, f"{place}.function"
        function = decode_value(_decode_function, data, place)
        return Tool(
            function.name,
            function.description or "",
            self._schemas.read(function.parameters, place, "parameters"),
            namespace=namespace,
            place=place,
            schema_bytes=len(bytes(function.parameters)),
        )


def _describe_custom(custom: Custom) -> str:
    """The grammar is part of what the model must know of the tool."""
    grammar = custom.format
    if grammar is None or grammar.type != "grammar" or not grammar.definition:
        return custom.description or ""
    rules = f"The input follows this grammar ({grammar.syntax or 'lark'}):\n{grammar.definition}"
    return "\n".join(filter(None, (custom.description, rules)))


def _build_choice(request: ResponsesRequest) -> tuple[ToolChoice, bool]:
    """How free the model is, and whether the choice is the search."""
    choice, is_parallel = request.tool_choice, request.parallel_tool_calls is not False
    if not isinstance(choice, Choice):
        if choice is None and is_parallel:
            return ANY_CHOICE, False
        return ToolChoice(_read_mode(choice), is_parallel=is_parallel), False
    if choice.type.startswith(_SEARCH):
        return ANY_CHOICE, True
    if choice.type == "allowed_tools":
        return _allow(choice, is_parallel=is_parallel)
    name = _name_chosen(choice)
    if name is None:
        raise UnsupportedValue(
            "`tool_choice` must name a function, a custom tool, web_search, shell, local_shell, apply_patch "
            "or the allowed tools.",
            param="tool_choice",
        )
    return ToolChoice("named", (name,), is_parallel), False


def _name_chosen(chosen: Choice | ChosenTool) -> str | None:
    """Tools that clients know by a type alone are called as it."""
    if chosen.type in CLIENT_TOOLS:
        return chosen.type
    return (chosen.name or None) if chosen.type in ("function", "custom") else None


def _read_mode(word: str | None) -> ChoiceMode:
    mode = _MODES.get((word or "auto").lower())
    if mode is None:
        raise InvalidRequest(
            "`tool_choice` must be auto, none, required or name a tool.", param="tool_choice"
        )
    return mode


def _allow(choice: Choice, *, is_parallel: bool) -> tuple[ToolChoice, bool]:
    """Some of the tools; nothing but the search is the search."""
    allowed = choice.tools or []
    named = [tool.type if tool.type in CLIENT_TOOLS else tool.name for tool in allowed]
    names = tuple([name for name in named if name is not None])
    if not names and any(tool.type.startswith(_SEARCH) for tool in allowed):
        return ANY_CHOICE, True
    return ToolChoice(_read_mode(choice.mode), names, is_parallel), False


def build_json_output(wanted: TextFormat | None, place: str) -> JsonOutput | None:
    """The JSON that the answer has to be, None for text. Raises UnsupportedValue for other formats."""
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return JsonOutput(place=place)
    if wanted.type != "json_schema":
        raise UnsupportedValue(
            "`text.format` must be text, json_object or json_schema.", param=f"{place}.type"
        )
    place = f"{place}.schema"
    if bytes(wanted.schema) == b"null":
        raise InvalidRequest("`schema` is missing.", param=place)
    return JsonOutput(read_schema(wanted.schema, place), place)
