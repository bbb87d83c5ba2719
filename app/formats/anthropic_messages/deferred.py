"""Tools that a client declares with `defer_loading` and keeps from the model until they were looked for.

A search of the client's own (Claude Code's `ToolSearch`) answers with blocks of type `tool_reference`, and a
client may send blocks of type `tool_addition`; from then on the model may call the tools named there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.formats.anthropic_messages.built_in_tool import is_run_by_client
from app.formats.anthropic_messages.request import Block, MessagesRequest, ToolSpec
from app.formats.anthropic_messages.tool_change import list_changes, read_changed_name

_TOOL_SEARCH_PREFIX = "tool_search_tool_"


def find_hidden_names(request: MessagesRequest, tools: Sequence[ToolSpec]) -> frozenset[str]:
    """Names of those among the request's current `tools` that are deferred and not to be offered.

    None are hidden where no tool of the client's could find them: where all of its tools are deferred, and
    where the search is Anthropic's own, which nobody runs here.
    """
    own = [tool for tool in tools if is_run_by_client(tool)]
    deferred = frozenset([tool.name for tool in own if tool.defer_loading and tool.name])
    if not deferred or all(tool.defer_loading for tool in own) or any(map(_is_tool_search, tools)):
        return frozenset()
    return deferred.difference(_list_wanted_names(request))


def _is_tool_search(tool: ToolSpec) -> bool:
    return (tool.type or "").startswith(_TOOL_SEARCH_PREFIX)


def _list_wanted_names(request: MessagesRequest) -> Iterator[str]:
    """What is chosen, what was added, what was found and what was called before."""
    if request.tool_choice is not None and request.tool_choice.name:
        yield request.tool_choice.name
    yield from [
        read_changed_name(block) for block, _ in list_changes(request) if block.type == "tool_addition"
    ]
    for message in request.messages:
        if not isinstance(message.content, str):
            yield from _list_block_names(message.content)


def _list_block_names(blocks: Iterable[Block]) -> Iterator[str]:
    """Empty where a block names nothing."""
    for block in blocks:
        if block.type == "tool_reference":
            yield block.tool_name or block.name or ""
        elif block.type == "tool_result" and isinstance(block.content, list):
            # References only, not what else may be nested: the walk stays as long as the body.
            found = [inner for inner in block.content if inner.type == "tool_reference"]
            yield from [inner.tool_name or inner.name or "" for inner in found]
        elif block.type == "tool_use":
            yield block.name or ""
