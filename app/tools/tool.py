"""Tools, choices, calls and results as values, in no client's format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

MAX_TOOLS = 128

ToolKind = Literal["function", "custom"]
ChoiceMode = Literal["auto", "none", "required", "named"]

# What a free-form tool takes as the model sees it; the client gets the string alone.
CUSTOM_INPUT = "input"
_CUSTOM_PARAMETERS = {
    "type": "object",
    "properties": {CUSTOM_INPUT: {"type": "string"}},
    "required": [CUSTOM_INPUT],
}


class ToolsRefused(Exception):
    """The tools or the choice cannot be served; `place` says where in the request, in the client's terms."""

    def __init__(self, message: str, place: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


@dataclass(frozen=True, slots=True)
class Tool:
    """What the client offers. `parameters` is its JSON Schema as it came: hostile input.

    A `custom` tool takes one free text. `namespace` groups tools whose names alone need not be unique;
    `place` is where the client declared it (`tools[3]`).
    """

    name: str
    description: str = ""
    parameters: Any = None
    kind: ToolKind = "function"
    namespace: str | None = None
    place: str = ""

    @property
    def offered_parameters(self) -> Any:
        """The schema that the model sees."""
        if self.kind == "custom":
            return _CUSTOM_PARAMETERS
        return self.parameters if isinstance(self.parameters, dict) else {}


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """How free the model is. `names` narrows the tools: to the allowed ones, or to the one of `named`."""

    mode: ChoiceMode = "auto"
    names: tuple[str, ...] | None = None
    is_parallel: bool = True

    @property
    def is_forced(self) -> bool:
        """An answer without a call does not meet the choice."""
        return self.mode in ("required", "named")


@dataclass(frozen=True, slots=True)
class Call:
    """What the model asks for. `arguments` is a JSON object as text; of a custom tool the bare input."""

    id: str
    tool: Tool
    arguments: str


@dataclass(frozen=True, slots=True)
class CallResult:
    """What came of a call, as the client sends it back. `name` is None where no call with its id is known."""

    call_id: str
    name: str | None
    text: str
    has_failed: bool = False


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
