"""Which deferred tools a Messages request offers the model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.request import Question
from app.formats.anthropic_messages.asked import parse_message

USER: Any = {"role": "user", "content": "hi"}
READ: Any = {"name": "read_file", "description": "Read.", "input_schema": {"type": "object"}}
SEARCH: Any = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}


def ask(*messages: Any, **fields: Any) -> Question:
    body = {"max_tokens": 1024, "messages": list(messages) or [USER], **fields}
    return parse_message(json.dumps(body).encode(), max_text_chars=10_000).question


def name_tools(*messages: Any, **fields: Any) -> list[str]:
    return [tool.name for tool in ask(*messages, **fields).tools]


LATER: Any = [
    {**READ, "name": name, "defer_loading": True} for name in ("log", "weather", "DeferredToolPlaceholder")
]
FIND: Any = {**READ, "name": "ToolSearch"}


def test_deferred_tools_are_offered_once_something_names_them() -> None:
    tools = [FIND, *LATER]
    assert name_tools(tools=tools) == ["ToolSearch"]
    found = [{"type": "tool_reference", "tool_name": "weather"}]
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": found}]}
    assert name_tools(USER, result, tools=tools) == ["ToolSearch", "weather"]
    assert name_tools({"role": "user", "content": found}, tools=tools) == ["ToolSearch", "weather"]
    added = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "weather"}}
    assert name_tools(USER, {"role": "system", "content": [added]}, tools=tools) == ["ToolSearch", "weather"]
    called = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "log", "input": {}}]}
    assert name_tools(USER, called, USER, tools=tools) == ["ToolSearch", "log"]
    assert name_tools(tools=tools, tool_choice={"type": "tool", "name": "log"}) == ["ToolSearch", "log"]


def test_a_tool_offered_late_keeps_its_place() -> None:
    found = {"role": "user", "content": [{"type": "tool_reference", "tool_name": "weather"}]}
    tools = ask(found, tools=[FIND, *LATER]).tools
    assert [tool.place for tool in tools] == ["tools.0", "tools.2"]


@pytest.mark.parametrize(
    "others",
    [[], [{"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}, FIND], [SEARCH]],
)
def test_deferred_tools_that_no_tool_of_the_client_could_find_are_offered(others: Any) -> None:
    """Anthropic's own search for tools is not run here: what it alone could find would be lost."""
    assert set(name_tools(tools=[*others, *LATER])) >= {"log", "weather"}
