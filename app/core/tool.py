"""Tools and how free the model is to call them, as a question carries them: in no client's format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

ToolKind = Literal["function", "custom"]
ChoiceMode = Literal["auto", "none", "required", "named"]

# What a free-form tool takes as the model sees it; the client gets the string alone.
CUSTOM_INPUT = "input"
_CUSTOM_PARAMETERS = {
    "type": "object",
    "properties": {CUSTOM_INPUT: {"type": "string"}},
    "required": [CUSTOM_INPUT],
}


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
    schema_bytes: int = field(default=0, compare=False)
    """How long the schema is as the client sent it."""

    @property
    def offered_parameters(self) -> Any:
        """The schema that the model sees."""
        if self.kind == "custom":
            return _CUSTOM_PARAMETERS
        return self.parameters if isinstance(self.parameters, dict) else {}


class ToolChoice(msgspec.Struct, frozen=True):
    """How free the model is. `names` narrows the tools: to the allowed ones, or to the one of `named`."""

    mode: ChoiceMode = "auto"
    names: tuple[str, ...] | None = None
    is_parallel: bool = True

    @property
    def is_forced(self) -> bool:
        """An answer without a call does not meet the choice."""
        return self.mode in ("required", "named")


ANY_CHOICE = ToolChoice()
"""What a request without a word about it means."""


class SearchTool(msgspec.Struct, frozen=True):
    """A search of the web by whoever serves the model, offered as a tool."""

    is_chosen: bool = False
    """The choice names it, and no other tool."""


class JsonOutput(msgspec.Struct, frozen=True):
    """The answer has to be one JSON value: any object, or what `schema` allows, which is hostile input."""

    schema: Any = None
    place: str = ""
    """Where the client gave the schema."""
