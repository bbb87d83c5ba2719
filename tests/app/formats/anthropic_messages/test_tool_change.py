"""Tools come and go in the middle of a conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Question, TextPart
from app.core.tool import ToolChoice
from app.formats.anthropic_messages.asked import parse_message

USER: Any = {"role": "user", "content": "hi"}
WEATHER: Any = {"name": "weather", "description": "Tells it.", "input_schema": {"type": "object"}}
CLOCK: Any = {"name": "clock", "description": "Tells it.", "input_schema": {"type": "object"}}
BASH: Any = {"type": "bash_20250124", "name": "bash"}
SEARCH: Any = {"type": "web_search_20250305", "name": "web_search"}


def define(tool: Any) -> Any:
    return {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": tool}}


def add(name: str, **more: Any) -> Any:
    return {"type": "tool_addition", "tool": {"type": "tool_reference", "name": name, **more}}


def remove(name: str, **more: Any) -> Any:
    return {"type": "tool_removal", "tool": {"type": "tool_reference", "name": name, **more}}


def ask(*changes: Any, **fields: Any) -> Question:
    """After these changes, each in a system message of its own."""
    messages = [USER, *[{"role": "system", "content": [change]} for change in changes], USER]
    body = {"max_tokens": 1024, "messages": messages, **fields}
    return parse_message(json.dumps(body).encode(), max_text_chars=10_000).question


def name_tools(*changes: Any, tools: Any) -> list[str]:
    return [tool.name for tool in ask(*changes, tools=tools).tools]


def test_a_tool_that_is_defined_late_is_offered() -> None:
    weather, clock = ask(define(CLOCK), tools=[WEATHER]).tools
    assert (weather.place, clock.place) == ("tools.0", "messages.1.content.0.tool.definition")
    assert (clock.name, clock.description, clock.parameters) == ("clock", "Tells it.", {"type": "object"})
    assert clock.schema_bytes == len('{"type": "object"}')
    assert name_tools(define(BASH), tools=None) == ["bash"]


def test_a_definition_takes_the_place_of_the_one_before() -> None:
    second, third = WEATHER | {"description": "Second."}, WEATHER | {"description": "Third."}
    (tool,) = ask(define(second), define(third), tools=[WEATHER]).tools
    assert tool.description == "Third."


def test_a_tool_that_was_removed_is_not_offered() -> None:
    assert name_tools(remove("clock"), tools=[WEATHER, CLOCK]) == ["weather"]
    assert name_tools(define(CLOCK), remove("clock"), tools=[WEATHER]) == ["weather"]
    assert name_tools(remove("weather"), tools=[WEATHER]) == []
    assert name_tools(remove("nothing"), tools=[WEATHER]) == ["weather"]


def test_it_may_come_back() -> None:
    assert name_tools(remove("clock"), add("clock"), tools=[WEATHER, CLOCK]) == ["weather", "clock"]
    assert name_tools(define(CLOCK), remove("clock"), add("clock"), tools=[]) == ["clock"]
    assert name_tools(remove("clock"), define(CLOCK), tools=[CLOCK]) == ["clock"]
    assert name_tools(add("clock"), remove("clock"), tools=[CLOCK]) == []


def test_a_call_of_it_does_not_bring_it_back() -> None:
    called = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "clock", "input": {}}]}
    removed = {"role": "system", "content": [remove("clock")]}
    body = {"messages": [USER, called, removed, USER, called, USER], "tools": [WEATHER, CLOCK]}
    question = parse_message(json.dumps(body).encode(), max_text_chars=10_000).question
    assert [tool.name for tool in question.tools] == ["weather"]


def test_changes_that_a_summary_stands_for_count() -> None:
    summary = {"type": "compaction", "content": "All.", "tool_changes": [define(CLOCK), remove("weather")]}
    body = {"messages": [{"role": "assistant", "content": [summary]}, USER], "tools": [WEATHER]}
    question = parse_message(json.dumps(body).encode(), max_text_chars=10_000).question
    (clock,) = question.tools
    assert (clock.name, clock.place) == ("clock", "messages.0.content.0.tool_changes.0.tool.definition")


def test_tools_of_mcp_servers_are_others() -> None:
    theirs = {"type": "mcp_tool_reference", "server_name": "git"}
    assert name_tools(remove("clock", **theirs), tools=[CLOCK]) == ["clock"]
    assert name_tools(remove("clock"), add("clock", **theirs), tools=[CLOCK]) == []
    toolset = {"type": "mcp_toolset", "mcp_server_name": "git"}
    assert name_tools(define(toolset), tools=[CLOCK]) == ["clock"]


def test_the_search_of_the_web_comes_and_goes_too() -> None:
    assert ask(define(SEARCH)).search_tool is not None
    assert ask(remove("web_search"), tools=[SEARCH, WEATHER]).search_tool is None


def test_the_model_hears_of_it() -> None:
    turns = ask(
        define(CLOCK), remove("clock"), add("clock"), define(SEARCH), add("x", type="mcp_tool_reference")
    ).turns
    assert [turn.parts for turn in turns if turn.role == "system"] == [
        (TextPart("The tool clock is available now."),),
        (TextPart("The tool clock is not available any more."),),
        (TextPart("The tool clock is available now."),),
        (),
        (),
    ]


def test_what_was_defined_late_may_be_chosen() -> None:
    clock = {"type": "tool", "name": "clock"}
    assert ask(define(CLOCK), tools=[WEATHER], tool_choice=clock).choice == ToolChoice("named", ("clock",))
    assert ask(define(CLOCK), tool_choice={"type": "any"}).choice == ToolChoice("required")


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"input_schema": {"type": "object"}}, "name"),
        (CLOCK | {"input_schema": {"x": "y" * 512 * 1024}}, "input_schema"),
    ],
)
def test_what_is_wrong_is_named(wrong: Any, name: str) -> None:
    body = {"messages": [{"role": "system", "content": [define(wrong)]}, USER]}
    with pytest.raises(InvalidRequest) as refused:
        parse_message(json.dumps(body).encode(), max_text_chars=1_000_000)
    assert refused.value.param == f"messages.0.content.0.tool.definition.{name}"


def test_a_call_cannot_be_wanted_where_what_is_left_is_run_by_others() -> None:
    fetch = {"type": "web_fetch_20250910", "name": "web_fetch"}
    with pytest.raises(UnsupportedValue, match="here: web_fetch"):
        ask(remove("clock"), tools=[CLOCK, fetch], tool_choice={"type": "any"})
