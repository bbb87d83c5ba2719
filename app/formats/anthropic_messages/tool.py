"""Tools, choices, past calls and JSON output of a Messages request, as the question carries them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Call
from app.core.tool import ANY_CHOICE, ChoiceMode, JsonOutput, SearchTool, Tool, ToolChoice
from app.formats.anthropic_messages.deferred import find_hidden_names, is_run_by_client
from app.formats.anthropic_messages.request import Block, MessagesRequest, OutputFormat, ToolSpec
from app.formats.json_body import retell_json
from app.formats.schema import NO_SCHEMA, ToolSchemas, read_schema

_SEARCH_PREFIX = "web_search_"
_MODES: dict[str, ChoiceMode] = {"auto": "auto", "any": "required", "tool": "named", "none": "none"}


def build_tools(request: MessagesRequest) -> tuple[Tool, ...]:
    """The client's own tools, without the deferred ones that nothing names yet.

    Those that Anthropic would run are skipped; searching is `build_search_tool`'s.

    Raises InvalidRequest that names the place.
    """
    schemas, hidden = ToolSchemas(), find_hidden_names(request)
    tools = []
    for index, tool in enumerate(request.tools or ()):
        if not is_run_by_client(tool) or (tool.defer_loading and tool.name in hidden):
            continue
        place = f"tools.{index}"
        if not tool.name:
            raise InvalidRequest("A tool needs a `name`.", param=f"{place}.name")
        parameters = schemas.read(tool.input_schema, place, "input_schema")
        size = len(bytes(tool.input_schema))
        tools.append(Tool(tool.name, tool.description or "", parameters, place=place, schema_bytes=size))
    return tuple(tools)


def build_search_tool(request: MessagesRequest) -> SearchTool | None:
    """The search of the web that the model may use, None where none is offered."""
    offered = next(filter(_is_search, request.tools or ()), None)
    if offered is None:
        return None
    choice = request.tool_choice
    return SearchTool(choice is not None and choice.type == "tool" and choice.name == offered.name)


def _is_search(tool: ToolSpec) -> bool:
    return tool.type is not None and tool.type.startswith(_SEARCH_PREFIX)


def build_choice(request: MessagesRequest, search_tool: SearchTool | None) -> ToolChoice:
    """Raises InvalidRequest for a choice that nobody knows."""
    choice = request.tool_choice
    if choice is None or (search_tool is not None and search_tool.is_chosen):
        return ANY_CHOICE
    mode = _MODES.get(choice.type)
    if mode is None:
        raise InvalidRequest("`tool_choice` must be auto, any, tool or none.", param="tool_choice.type")
    if mode == "named" and not choice.name:
        raise InvalidRequest("A choice of one tool needs its `name`.", param="tool_choice.name")
    names = (choice.name,) if mode == "named" and choice.name else None
    return ToolChoice(mode, names, is_parallel=choice.disable_parallel_tool_use is not True)


def build_calls(blocks: Iterable[Block]) -> tuple[Call, ...]:
    """The calls that an earlier answer made."""
    return tuple(
        [
            Call(block.id or "", block.name or "", _write_input(block.input))
            for block in blocks
            if block.type == "tool_use"
        ]
    )


def _write_input(raw: msgspec.Raw) -> str:
    return "{}" if raw == NO_SCHEMA else retell_json(raw)


def build_json_output(request: MessagesRequest) -> JsonOutput | None:
    """The JSON that the answer has to be, None for text. Raises UnsupportedValue for other formats."""
    config = request.output_config
    if config is not None and config.format is not None:
        return _read_format(config.format, "output_config.format")
    return None if request.output_format is None else _read_format(request.output_format, "output_format")


def _read_format(wanted: OutputFormat, place: str) -> JsonOutput:
    if wanted.type != "json_schema":
        raise UnsupportedValue(f"`{place}` must be of type json_schema.", param=f"{place}.type")
    place = f"{place}.schema"
    return JsonOutput(read_schema(wanted.schema, place), place)
