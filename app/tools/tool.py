"""Which tools a request offers, and what a call of one is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from app.core.tool import Tool, ToolChoice

MAX_TOOLS = 128


class ToolsRefused(Exception):
    """The tools or the choice cannot be served; `place` says where in the request, in the client's terms."""

    def __init__(self, message: str, place: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class Call(msgspec.Struct, frozen=True):
    """What the model asks for. `arguments` is a JSON object as text; of a custom tool the bare input."""

    id: str
    tool: Tool
    arguments: str


def choose_tools(tools: Sequence[Tool], choice: ToolChoice) -> tuple[Tool, ...]:
    """The tools that the model is offered under `choice`.

    A choice without tools is ignored, unless it names one: raises ToolsRefused, as for names nobody declared
    and for more than MAX_TOOLS after filtering.
    """
    if choice.mode == "none":
        return ()
    offered = tuple(tools)
    if choice.names is not None:
        declared = {tool.name for tool in tools}
        missing = [name for name in choice.names if name not in declared]
        if missing and (tools or choice.mode == "named"):
            raise ToolsRefused(
                f"`tool_choice` names `{missing[0][:64]}`, which no tool declares.", "tool_choice"
            )
        offered = tuple(tool for tool in tools if tool.name in choice.names)
    if len(offered) > MAX_TOOLS:
        raise ToolsRefused(f"{len(offered)} tools are offered; at most {MAX_TOOLS} are allowed.", "tools")
    return offered


def full_name(tool: Tool) -> str:
    """With its namespace, as no other tool of the request is called."""
    return f"{tool.namespace}__{tool.name}" if tool.namespace else tool.name


def build_call_id(draw: Callable[[int], bytes], tool: Tool) -> str:
    """`call_` and 24 hexadecimal digits; `draw` gives so many random bytes (`secrets.token_bytes`).

    The last eight say which tool it is, for a result that comes without its call: nothing here remembers what
    an earlier answer called.
    """
    return f"call_{draw(8).hex()}{_digest_name(tool)}"


def is_call_of(call_id: str, tool: Tool) -> bool:
    """Whether `call_id`, behind whatever its format puts before it, was given to a call of this tool."""
    return call_id.endswith(_digest_name(tool))


def _digest_name(tool: Tool) -> str:
    return hashlib.sha256(full_name(tool).encode("utf-8", "replace")).hexdigest()[:8]
