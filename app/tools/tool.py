"""Which tools a request offers, and what a call of one is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.tool import Tool, ToolChoice

MAX_TOOLS = 128


class ToolsRefused(Exception):
    """The tools or the choice cannot be served; `place` says where in the request, in the client's terms."""

    def __init__(self, message: str, place: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


@dataclass(frozen=True, slots=True)
class Call:
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


def build_call_id(draw: Callable[[int], bytes]) -> str:
    """`call_` and 24 hexadecimal digits; `draw` gives so many random bytes (`secrets.token_bytes`)."""
    return f"call_{draw(12).hex()}"
