"""Tools, choices, past calls, results and output formats out of a request, or the place that is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Call, FilePart, TextPart, Turn
from app.core.tool import JsonOutput, Tool, ToolChoice
from app.formats.openai_chat.asked import AskedChat, parse_chat
from app.formats.schema import MAX_SCHEMA_BYTES

HELLO = [{"role": "user", "content": "hi"}]
SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
LOOK = {"type": "function", "function": {"name": "look", "description": "Look.", "parameters": SCHEMA}}
PATCH = {"type": "custom", "custom": {"name": "patch", "description": "Patch.", "format": {"type": "text"}}}


def ask(**fields: Any) -> AskedChat:
    body = json.dumps({"messages": HELLO} | fields).encode()
    return parse_chat(body, max_text_chars=10_000_000)


def refuse(**fields: Any) -> str | None:
    with pytest.raises(InvalidRequest) as refused:
        ask(**fields)
    return refused.value.param


def test_tools_of_both_kinds() -> None:
    assert ask(tools=[LOOK, PATCH]).question.tools == (
        Tool("look", "Look.", SCHEMA, place="tools.0.function"),
        Tool("patch", "Patch.", kind="custom", place="tools.1.custom"),
    )


@pytest.mark.parametrize(
    "function", [{"name": "f"}, {"name": "f", "parameters": None, "description": None, "strict": None}]
)
def test_what_may_be_left_out(function: dict[str, Any]) -> None:
    assert ask(tools=[{"function": function}]).question.tools == (Tool("f", place="tools.0.function"),)


def test_tools_that_other_providers_run_are_skipped() -> None:
    asked = ask(tools=[{"type": "web_search", "filters": 1}, LOOK, {"type": "mcp"}])
    assert [tool.name for tool in asked.question.tools] == ["look"]


ONLY_SKIPPED = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "mcp"}]}}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tools": [{"type": "mcp"}], "tool_choice": "required"}, "not available here: mcp."),
        ({"tools": [{"type": "mcp"}, {"type": "web_search"}], "tool_choice": "any"}, "mcp, web_search."),
        ({"tools": [LOOK, {"type": "mcp"}], "tool_choice": ONLY_SKIPPED}, "not available here: mcp."),
        ({"tools": [LOOK, {"type": "web_search"}], "tool_choice": ONLY_SKIPPED}, "here: web_search."),
        ({"tools": [LOOK], "tool_choice": ONLY_SKIPPED}, "no tool is left"),
    ],
)
def test_a_forced_call_that_no_tool_is_left_for(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsupportedValue) as refused:
        ask(**fields)
    assert (refused.value.param, words in refused.value.text) == ("tool_choice", True)


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "mcp"}, LOOK], "tool_choice": "required"},
        {"tools": [{"type": "mcp"}]},
        {"tools": [{"type": "mcp"}], "tool_choice": "none"},
        {"tools": [{"type": "web_search", "web_search": {"enable": True}}], "tool_choice": "required"},
        {"tool_choice": "required"},
        {"functions": [{"name": "look"}], "function_call": {"name": "look"}},
    ],
)
def test_a_choice_that_can_be_met_or_wants_nothing_is_taken(fields: dict[str, Any]) -> None:
    ask(**fields)


def test_functions_are_tools_of_an_earlier_time() -> None:
    asked = ask(functions=[{"name": "look", "parameters": SCHEMA}], function_call={"name": "look"})
    assert asked.question.tools == (Tool("look", "", SCHEMA, place="functions.0"),)
    assert asked.question.choice == ToolChoice("named", ("look",), is_parallel=False)
    assert asked.uses_functions
    both = ask(functions=[{"name": "f"}], tools=[LOOK])
    assert [tool.name for tool in both.question.tools] == ["look"]
    assert not both.uses_functions


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [LOOK, {"type": "function"}]}, "tools.1.function"),
        ({"tools": [{"type": "custom"}]}, "tools.0.custom"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
        ({"tools": [{"type": "function", "function": {"name": 1}}]}, "tools.0.function.name"),
        ({"functions": [{}]}, "functions.0.name"),
        ({"tools": [{"function": {"name": "f", "parameters": {"x": "y" * MAX_SCHEMA_BYTES}}}]},
         "tools.0.function.parameters"),
        ({"tools": [{"function": {"name": "f", "parameters": {"x": "y" * 500_000}}}] * 3},
         "tools.2.function"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": [], "mode": "x"}}},
         "tool_choice.allowed_tools.mode"),
        ({"functions": [{"name": "f"}], "function_call": "sometimes"}, "function_call"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {}}, "response_format.type"),
    ],
)  # fmt: skip
def test_the_place_of_what_is_wrong(fields: dict[str, Any], param: str) -> None:
    assert refuse(**fields) == param


def test_a_deep_schema_is_refused_and_not_followed() -> None:
    schema = '{"a":' * 100_000 + "1" + "}" * 100_000
    body = b'{"messages":[{"role":"user","content":"x"}],"tools":[{"function":{"name":"f","parameters":%s}}]}'
    with pytest.raises(InvalidRequest):
        parse_chat(body % schema.encode(), max_text_chars=10_000_000)


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, ToolChoice()),
        ({"tool_choice": "auto"}, ToolChoice()),
        ({"tool_choice": "none"}, ToolChoice("none")),
        ({"tool_choice": "required"}, ToolChoice("required")),
        ({"tool_choice": "any"}, ToolChoice("required")),
        ({"parallel_tool_calls": False}, ToolChoice(is_parallel=False)),
        ({"parallel_tool_calls": True}, ToolChoice()),
        ({"tool_choice": {"type": "function", "function": {"name": "look"}}}, ToolChoice("named", ("look",))),
        ({"tool_choice": {"type": "custom", "custom": {"name": "patch"}}}, ToolChoice("named", ("patch",))),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
                {"type": "function", "function": {"name": "look"}}, {"type": "mcp"}]}}},
            ToolChoice("required", ("look",)),
        ),
    ],
)  # fmt: skip
def test_choices(fields: dict[str, Any], choice: ToolChoice) -> None:
    assert ask(tools=[LOOK, PATCH], **fields).question.choice == choice


def test_calls_and_results_of_every_shape() -> None:
    called = [
        {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"q": 1}'}},
        {"id": "c2", "type": "function", "function": {"name": "look", "arguments": {"q": "二"}}},
        {"id": "c3", "type": "custom", "custom": {"name": "patch", "input": "+a"}},
        {"id": "c4"},
    ]
    turns = ask(
        messages=[
            {"role": "assistant", "content": None, "tool_calls": called},
            {"role": "tool", "tool_call_id": "c2", "content": "two"},
            {"role": "tool", "tool_call_id": "c1", "content": [
                {"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "https://x/1.png"}}]},
            {"role": "assistant", "function_call": {"name": "now", "arguments": None}},
            {"role": "function", "name": "now", "content": "12"},
        ]
    ).question.turns  # fmt: skip
    calls = (
        Call("c1", "look", '{"q": 1}'),
        Call("c2", "look", '{"q":"二"}'),
        Call("c3", "patch", "+a", "custom"),
    )
    picture = FilePart("image", "https://x/1.png", "messages.2.content.1.image_url.url")
    assert turns == (
        Turn("assistant", (), calls=calls),
        Turn("tool", (TextPart("two"),), call_id="c2"),
        Turn("tool", (TextPart("one"), picture), call_id="c1"),
        Turn("assistant", (), calls=(Call("", "now", "{}"),)),
        Turn("tool", (TextPart("12"),), "now"),
    )


@pytest.mark.parametrize(
    ("wanted", "output"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, JsonOutput(None, "response_format")),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}},
            JsonOutput(SCHEMA, "response_format.json_schema.schema"),
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "x"}},
            JsonOutput(None, "response_format.json_schema.schema"),
        ),
    ],
)
def test_output_formats(wanted: object, output: JsonOutput | None) -> None:
    assert ask(response_format=wanted).question.json_output == output


def test_other_formats_are_unsupported() -> None:
    with pytest.raises(UnsupportedValue):
        ask(response_format={"type": "grammar"})
