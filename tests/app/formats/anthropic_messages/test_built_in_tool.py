"""Tools that Anthropic defines and the client runs are offered to the model, each with what it takes."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from app.core.errors import UnsupportedValue
from app.core.request import Call, Question
from app.core.tool import Tool, ToolChoice
from app.formats.anthropic_messages.asked import parse_message

USER: Any = {"role": "user", "content": "hi"}
BASH: Any = {"type": "bash_20250124", "name": "bash"}
MEMORY: Any = {"type": "memory_20250818", "name": "memory"}
EDITOR: Any = {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 1000}
FIRST_EDITOR: Any = {"type": "text_editor_20250124", "name": "str_replace_editor"}
COMPUTER: Any = {
    "type": "computer_20251124",
    "name": "computer",
    "display_width_px": 1024,
    "display_height_px": 768,
    "display_number": 1,
    "enable_zoom": True,
}
# What Anthropic or a server of somebody's would run, and sets of tools that have no name.
ELSEWHERE: list[Any] = [
    {"type": "code_execution_20250825", "name": "code_execution"},
    {"type": "web_fetch_20250910", "name": "web_fetch"},
    {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
    {"type": "advisor_20260301", "name": "advisor"},
    {"type": "computer_toolset_20260801", "configs": {"zoom": {"enabled": False}}},
    {"type": "mcp_toolset", "mcp_server_name": "git"},
    {"type": "bash", "name": "bash"},
    {"type": "bash_of_tomorrow", "name": "bash"},
]


def ask(*messages: Any, **fields: Any) -> Question:
    body = {"max_tokens": 1024, "messages": list(messages) or [USER], **fields}
    return parse_message(json.dumps(body).encode(), max_text_chars=10_000).question


def offer(tool: Any) -> Tool:
    (offered,) = ask(tools=[tool]).tools
    return offered


def takes(tool: Any, given: Any) -> bool:
    return jsonschema_rs.is_valid(offer(tool).parameters, given)


@pytest.mark.parametrize("tool", [BASH, MEMORY, EDITOR, FIRST_EDITOR, COMPUTER])
def test_a_tool_is_offered_by_the_name_that_the_request_gives_it(tool: Any) -> None:
    offered = offer(tool | {"cache_control": {"type": "ephemeral"}, "strict": True})
    assert (offered.name, offered.kind, offered.place) == (tool["name"], "function", "tools.0")
    assert offered.description
    jsonschema_rs.meta.validate(offered.parameters)


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        (BASH, {"command": "ls"}),
        (BASH, {"command": "", "restart": True}),
        (MEMORY, {"command": "view", "path": "/memories", "view_range": [1, -1]}),
        (MEMORY, {"command": "create", "path": "/memories/a", "file_text": "x"}),
        (MEMORY, {"command": "str_replace", "path": "/memories/a", "old_str": "x", "new_str": "y"}),
        (MEMORY, {"command": "insert", "path": "/memories/a", "insert_line": 0, "insert_text": "x"}),
        (MEMORY, {"command": "delete", "path": "/memories/a"}),
        (MEMORY, {"command": "rename", "old_path": "/memories/a", "new_path": "/memories/b"}),
        (EDITOR, {"command": "view", "path": "/a.py", "view_range": [1, 20]}),
        (EDITOR, {"command": "insert", "path": "/a.py", "insert_line": 3, "insert_text": "x"}),
        (FIRST_EDITOR, {"command": "insert", "path": "/a.py", "insert_line": 3, "new_str": "x"}),
        (FIRST_EDITOR, {"command": "undo_edit", "path": "/a.py"}),
        (COMPUTER, {"action": "screenshot"}),
        (COMPUTER, {"action": "left_click", "coordinate": [10, 20], "text": "ctrl"}),
        (COMPUTER, {"action": "scroll", "scroll_direction": "down", "scroll_amount": 3}),
        (COMPUTER, {"action": "wait", "duration": 0.5}),
        (COMPUTER, {"action": "zoom", "region": [0, 0, 100, 100]}),
    ],
)
def test_what_a_client_reads_is_what_the_model_is_told(tool: Any, given: Any) -> None:
    assert takes(tool, given)
    assert set(given) <= set(offer(tool).parameters["properties"])


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        (BASH, {}),
        (MEMORY, {"command": "undo_edit", "path": "/memories"}),
        (MEMORY, {"command": "view", "path": 1}),
        (EDITOR, {"command": "undo_edit", "path": "/a.py"}),
        (EDITOR, {"command": "view"}),
        (EDITOR, {"command": "view", "path": "/a.py", "view_range": [1]}),
        (COMPUTER, {"action": "jump"}),
        (COMPUTER, {"action": "left_click", "coordinate": "10, 20"}),
        (COMPUTER | {"enable_zoom": False}, {"action": "zoom"}),
        (COMPUTER | {"type": "computer_20241022"}, {"action": "scroll"}),
    ],
)
def test_what_no_client_reads_is_not_in_the_schema(tool: Any, given: Any) -> None:
    assert not takes(tool, given)


@pytest.mark.parametrize(
    ("tool", "date"),
    [
        (BASH, "20241022"),
        (BASH, "20991231"),
        (MEMORY, "20991231"),
        (EDITOR, "20250429"),
        (EDITOR, "20991231"),
        (FIRST_EDITOR, "20241022"),
        (COMPUTER, "20250124"),
        (COMPUTER, "20991231"),
    ],
)
def test_other_versions_take_the_same(tool: Any, date: str) -> None:
    other = tool | {"type": f"{tool['type'].rpartition('_')[0]}_{date}"}
    assert offer(other) == offer(tool)


def test_only_the_later_text_editors_have_a_text_to_insert() -> None:
    assert "insert_text" in offer(EDITOR).parameters["properties"]
    assert "insert_text" not in offer(FIRST_EDITOR).parameters["properties"]


def test_the_model_hears_how_large_the_screen_is() -> None:
    assert "1024 x 768" in offer(COMPUTER).description
    assert "? x ?" in offer({"type": "computer_20250124", "name": "computer"}).description


@pytest.mark.parametrize("tool", [BASH, MEMORY, EDITOR, FIRST_EDITOR, COMPUTER])
def test_many_of_them_take_no_room_for_their_schemas(tool: Any) -> None:
    first, *others = ask(tools=[tool | {"name": f"t{number}"} for number in range(20)]).tools
    assert all(other.parameters is first.parameters for other in others)


def test_it_is_deferred_like_any_other() -> None:
    find = {"name": "ToolSearch", "input_schema": {"type": "object"}}
    tools = [find, BASH | {"defer_loading": True}]
    assert [tool.name for tool in ask(tools=tools).tools] == ["ToolSearch"]
    found = {"role": "user", "content": [{"type": "tool_reference", "tool_name": "bash"}]}
    assert [tool.name for tool in ask(found, tools=tools).tools] == ["ToolSearch", "bash"]


@pytest.mark.parametrize("tool", [BASH, MEMORY, EDITOR, FIRST_EDITOR, COMPUTER])
def test_it_may_be_chosen(tool: Any) -> None:
    named = {"type": "tool", "name": tool["name"]}
    assert ask(tools=[*ELSEWHERE, tool], tool_choice=named).choice == ToolChoice("named", (tool["name"],))
    assert ask(tools=[*ELSEWHERE, tool], tool_choice={"type": "any"}).choice == ToolChoice("required")


def test_its_calls_and_results_are_those_of_any_tool() -> None:
    called = {"type": "tool_use", "id": "t", "name": "bash", "input": {"command": "ls"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "a.txt"}
    _, said, given = ask(
        USER,
        {"role": "assistant", "content": [called]},
        {"role": "user", "content": [result]},
        tools=[BASH],
    ).turns
    assert said.calls == (Call("t", "bash", '{"command": "ls"}'),)
    assert (given.role, given.call_id) == ("tool", "t")


@pytest.mark.parametrize("tool", ELSEWHERE, ids=lambda tool: tool["type"])
def test_what_others_run_is_skipped(tool: Any) -> None:
    assert ask(tools=[tool]).tools == ()
    assert ask(tools=[tool], tool_choice={"type": "auto"}).tools == ()
    assert ask(tools=[tool], tool_choice={"type": "none"}).choice.mode == "none"


@pytest.mark.parametrize("tool", ELSEWHERE, ids=lambda tool: tool["type"])
def test_a_call_of_what_others_run_cannot_be_wanted(tool: Any) -> None:
    name = tool.get("name", tool["type"])
    with pytest.raises(UnsupportedValue, match=f"not available here: {name}") as refused:
        ask(tools=[tool], tool_choice={"type": "any"})
    assert refused.value.param == "tool_choice"
    if "name" in tool:
        with pytest.raises(UnsupportedValue, match=f"not available here: {name}"):
            ask(tools=[MEMORY, tool], tool_choice={"type": "tool", "name": name})


def test_a_search_of_the_web_meets_any_choice_and_no_named_one() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    fetch = {"type": "web_fetch_20250910", "name": "web_fetch"}
    assert ask(tools=[search, fetch], tool_choice={"type": "any"}).searches_natively
    with pytest.raises(UnsupportedValue, match="not available here: web_fetch"):
        ask(tools=[search, fetch], tool_choice={"type": "tool", "name": "web_fetch"})


def test_few_of_those_are_told_and_never_long_names() -> None:
    tools = [{"type": "web_fetch_20250910", "name": f"{number}{'x' * 100}"} for number in range(50)]
    with pytest.raises(UnsupportedValue) as refused:
        ask(tools=tools, tool_choice={"type": "any"})
    assert len(refused.value.message) < 400
