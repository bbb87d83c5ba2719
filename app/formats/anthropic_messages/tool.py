"""Tools, choices, past calls and JSON output of a Messages request, as the question carries them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Call
from app.core.tool import ANY_CHOICE, ChoiceMode, JsonOutput, SearchTool, Tool, ToolChoice
from app.formats.anthropic_messages.built_in_tool import find_built_in, is_run_by_client
from app.formats.anthropic_messages.deferred import find_hidden_names
from app.formats.anthropic_messages.request import Block, Choice, MessagesRequest, OutputFormat, ToolSpec
from app.formats.anthropic_messages.tool_change import PlacedTool, list_current_tools
from app.formats.json_body import retell_json
from app.formats.schema import NO_SCHEMA, ToolSchemas, read_schema
from app.formats.unmet_choice import build_unmet_choice

_SEARCH_PREFIX = "web_search_"
_MODES: dict[str, ChoiceMode] = {"auto": "auto", "any": "required", "tool": "named", "none": "none"}


class Declared(msgspec.Struct, frozen=True):
    """What the request offers the model, and how free it is to use that."""

    tools: tuple[Tool, ...]
    choice: ToolChoice
    search_tool: SearchTool | None


def build_declared(request: MessagesRequest) -> Declared:
    """The client's tools, without the deferred ones that nothing names yet, and the search of the web.

    What else Anthropic would run is skipped. Raises InvalidRequest that names the place, UnsupportedValue for
    a choice that skipped tools alone could meet.
    """
    current = list_current_tools(request)
    hidden = find_hidden_names(request, [tool for tool, _ in current])
    schemas = ToolSchemas()
    tools = tuple(
        [
            _build_tool(tool, place, schemas)
            for tool, place in current
            if is_run_by_client(tool) and not (tool.defer_loading and tool.name in hidden)
        ]
    )
    search_tool = _build_search_tool(current, request.tool_choice)
    choice = _build_choice(request.tool_choice, search_tool)
    _check_available(choice, tools, current)
    return Declared(tools, choice, search_tool)


def _build_tool(tool: ToolSpec, place: str, schemas: ToolSchemas) -> Tool:
    if not tool.name:
        raise InvalidRequest("A tool needs a `name`.", param=f"{place}.name")
    built_in = find_built_in(tool)
    if built_in is not None:
        return Tool(tool.name, built_in.description, built_in.parameters, place=place)
    parameters = schemas.read(tool.input_schema, place, "input_schema")
    size = len(bytes(tool.input_schema))
    return Tool(tool.name, tool.description or "", parameters, place=place, schema_bytes=size)


def _build_search_tool(current: Sequence[PlacedTool], choice: Choice | None) -> SearchTool | None:
    """The search of the web that the model may use, None where none is offered."""
    offered = next((tool for tool, _ in current if _is_search(tool)), None)
    if offered is None:
        return None
    return SearchTool(choice is not None and choice.type == "tool" and choice.name == offered.name)


def _is_search(tool: ToolSpec) -> bool:
    return tool.type is not None and tool.type.startswith(_SEARCH_PREFIX)


def _build_choice(choice: Choice | None, search_tool: SearchTool | None) -> ToolChoice:
    """Raises InvalidRequest for a choice that nobody knows."""
    if choice is None or (search_tool is not None and search_tool.is_chosen):
        return ANY_CHOICE
    mode = _MODES.get(choice.type)
    if mode is None:
        raise InvalidRequest("`tool_choice` must be auto, any, tool or none.", param="tool_choice.type")
    if mode == "named" and not choice.name:
        raise InvalidRequest("A choice of one tool needs its `name`.", param="tool_choice.name")
    names = (choice.name,) if mode == "named" and choice.name else None
    return ToolChoice(mode, names, is_parallel=choice.disable_parallel_tool_use is not True)


def _check_available(choice: ToolChoice, tools: Sequence[Tool], current: Sequence[PlacedTool]) -> None:
    """Raises UnsupportedValue where a call is wanted that only a skipped tool could be."""
    offered = {tool.name for tool in tools}
    wanted = [tool for tool, _ in current if choice.names is None or tool.name in choice.names]
    can_be_met = any(tool.name in offered or _is_search(tool) for tool in wanted)
    if not choice.is_forced or not wanted or can_be_met:
        return
    raise build_unmet_choice([tool.name or tool.type or "" for tool in wanted])


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
