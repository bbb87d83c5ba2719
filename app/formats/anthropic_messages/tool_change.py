"""Tools that come and go in the middle of a conversation, by `tool_addition` and `tool_removal`."""

from __future__ import annotations

from collections.abc import Iterator

from app.formats.anthropic_messages.built_in_tool import is_run_by_client
from app.formats.anthropic_messages.request import Block, ChangedTool, MessagesRequest, ToolSpec

_CHANGES = ("tool_addition", "tool_removal")

PlacedTool = tuple[ToolSpec, str]


def list_current_tools(request: MessagesRequest) -> list[PlacedTool]:
    """Those of `tools` and what the messages made of them, whoever runs them, each with its place.

    One that is defined anew takes the place of the one before; one that was removed may come back.
    """
    declared = [(tool, f"tools.{index}") for index, tool in enumerate(request.tools or ())]
    added: dict[str, PlacedTool] = {}
    removed: set[str] = set()
    for block, place in list_changes(request):
        name = read_changed_name(block)
        if block.type == "tool_removal":
            removed.add(name)
            continue
        removed.discard(name)
        if isinstance(block.tool, ChangedTool) and block.tool.definition is not None:
            added[name or place] = (block.tool.definition, f"{place}.tool.definition")
    kept = [placed for placed in declared if placed[0].name not in added]
    return [placed for placed in (*kept, *added.values()) if placed[0].name not in removed]


def list_changes(request: MessagesRequest) -> Iterator[tuple[Block, str]]:
    """The blocks that add or remove a tool, in their order, each with its place.

    Those that Anthropic summed up with the messages around them stand in the summary's block.
    """
    for message_index, message in enumerate(request.messages):
        if isinstance(message.content, str):
            continue
        for index, block in enumerate(message.content):
            if block.type in _CHANGES:
                yield block, f"messages.{message_index}.content.{index}"
            elif block.type == "compaction":
                for number, change in enumerate(block.tool_changes or ()):
                    if change.type in _CHANGES:
                        yield change, f"messages.{message_index}.content.{index}.tool_changes.{number}"


def read_changed_name(block: Block) -> str:
    """Of the tool that a block adds or removes; empty for tools of MCP servers, which nobody runs here."""
    tool = block.tool
    if not isinstance(tool, ChangedTool):
        return ""
    if tool.type == "tool_definition":
        return (tool.definition.name if tool.definition is not None else None) or ""
    return (tool.name if tool.type == "tool_reference" else None) or ""


def tell_change(block: Block) -> str:
    """What a block says of a tool that was found, added or removed; empty where nobody here runs it."""
    if block.type == "tool_reference":
        return f"The tool {block.tool_name or block.name or ''} is available now."
    name = read_changed_name(block)
    if not name:
        return ""
    if block.type == "tool_removal":
        return f"The tool {name} is not available any more."
    definition = block.tool.definition if isinstance(block.tool, ChangedTool) else None
    is_offered = definition is None or is_run_by_client(definition)
    return f"The tool {name} is available now." if is_offered else ""
