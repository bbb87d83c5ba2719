"""What the prompt says of the tools: their schemas, which stand first, and the short rules, which stand last.

The rules are the last thing that the model reads, since what stands far above is forgotten behind a long
history. They say what there is and what to write, in positive words: what is forbidden is repeated to the
user.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from app.core.tool import Tool, ToolChoice
from app.tools.dialect import Dialect
from app.tools.json_format import JsonFormat
from app.tools.json_text import encode_json
from app.tools.name import Names
from app.tools.schema import Node, Schema, check_schema
from app.tools.schema_tier import TIERS, Shown
from app.tools.tool import ToolsRefused

# What schemas may take of the prompt before they are made shorter, and at most.
SCHEMA_BUDGET_CHARS = 100_000
MAX_SCHEMAS_CHARS = 400_000

_HEADING = (
    "# Functions\n"
    "The user's machine runs these functions through this conversation. "
    "The user's files, commands and programs are reached through them."
)
_MAX_EXAMPLE_PARAMETERS = 3
_SAMPLES: dict[str, Any] = {"string": "...", "boolean": True, "array": [], "object": {}, "null": None}


class SchemasTooLong(ToolsRefused):
    """Even at their shortest the schemas do not fit into a prompt."""


class Section(msgspec.Struct, frozen=True):
    """`schemas` goes before the history, `rules` behind it; `tier` counts the steps of cutting."""

    schemas: str
    rules: str
    tier: int = 0


def build_section(
    names: Names,
    choice: ToolChoice,
    dialect: Dialect,
    *,
    json_format: JsonFormat | None = None,
    budget_chars: int = SCHEMA_BUDGET_CHARS,
) -> Section:
    """The section for the tools of `names`, or for the JSON format alone; empty where there is neither.

    Raises ToolsRefused for a schema beyond the bounds, SchemasTooLong for all of them together.
    """
    if not names.tools:
        return Section("", json_format.write_sentence(has_tools=False) if json_format else "")
    lines, tier = _fit_schemas(names, budget_chars)
    rules = [dialect.write_rules(write_example(names, dialect)), write_choice(names, choice)]
    if json_format is not None:
        rules.append(json_format.write_sentence(has_tools=True))
    return Section("\n".join((_HEADING, *lines)), "\n".join(rules), tier)


def _fit_schemas(names: Names, budget_chars: int) -> tuple[list[str], int]:
    """One line of compact JSON a tool, as models were trained on them, and the tier that fits."""
    shown = [_show(name, tool) for name, tool in names.tools.items()]
    lines = [encode_json(each) for each in shown]
    for tool, line in zip(names.tools.values(), lines, strict=True):
        problem = check_schema(tool.offered_parameters, len(line) - len(tool.description))
        if problem is not None:
            raise ToolsRefused(
                f"The tool `{tool.name[:64]}` cannot be offered: {problem}.", tool.place or None
            )
    tier = 0
    while sum(map(len, lines)) > budget_chars and tier < len(TIERS):
        shown = [TIERS[tier](each) for each in shown]
        lines = [encode_json(each) for each in shown]
        tier += 1
    chars = sum(map(len, lines))
    if chars > max(budget_chars, MAX_SCHEMAS_CHARS):
        raise SchemasTooLong(
            f"The tools take {chars} characters even without their descriptions; "
            f"at most {max(budget_chars, MAX_SCHEMAS_CHARS)} are allowed.",
            "tools",
        )
    return lines, tier


def _show(name: str, tool: Tool) -> Shown:
    shown: Shown = {"name": name}
    if tool.description:
        shown["description"] = tool.description
    shown["parameters"] = tool.offered_parameters
    return shown


def write_example(names: Names, dialect: Dialect, wanted: Sequence[Tool] = ()) -> str:
    """A call of a declared tool: the one with the shortest call that shows a parameter."""
    calls = [
        dialect.write_call(names.offer(tool), encode_json(_sample_arguments(Schema(tool.offered_parameters))))
        for tool in wanted or names.tools.values()
    ]
    return min(calls, key=lambda call: (call.endswith(f">{{}}{dialect.closer}"), len(call)))


def _sample_arguments(schema: Schema) -> Node:
    properties = schema.root.get("properties")
    required = schema.root.get("required")
    if not isinstance(properties, dict) or not isinstance(required, list):
        return {}
    named = [key for key in required if isinstance(key, str) and key in properties]
    return {key: _sample(schema, properties[key]) for key in named[:_MAX_EXAMPLE_PARAMETERS]}


def _sample(schema: Schema, node: Any) -> Any:
    node = schema.resolve(node)
    if "const" in node:
        return node["const"]
    if isinstance(allowed := node.get("enum"), list) and allowed:
        return allowed[0]
    types = schema.read_types(node) or {"string"}
    return next((sample for name, sample in _SAMPLES.items() if name in types), 1)


def write_choice(names: Names, choice: ToolChoice) -> str:
    """How free this turn is."""
    several = "with one call or several" if choice.is_parallel else "with one call"
    if choice.mode == "named":
        return f"Answer this turn {several} of {', '.join(names.tools)}."
    if choice.mode == "required":
        return f"Answer this turn {several}."
    one = "" if choice.is_parallel else ", one in a turn"
    return f"Call functions whenever they help{one}, and answer in text once the task is done."
