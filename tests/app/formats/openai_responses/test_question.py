"""What a Responses request asks, and what of it is refused with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.request import Call, FilePart, Question, TextPart, Turn
from app.core.tool import JsonOutput, SearchTool, ToolChoice
from tests.app.formats.openai_responses.reading import parse


def ask(*items: Any, **fields: Any) -> Question:
    return parse(**({"input": list(items)} if items else {}), **fields).question


def say(role: Any, *texts: str) -> Turn:
    return Turn(role, tuple([TextPart(text) for text in texts]))


CALL = {
    "type": "function_call",
    "call_id": "call_1",
    "name": "read",
    "arguments": '{"path":"a"}',
    "id": "fc_1",
}
PATCH = {"type": "custom_tool_call", "call_id": "call_2", "name": "apply_patch", "input": "*** Begin"}
SHELL = {
    "type": "local_shell_call",
    "call_id": "call_3",
    "status": "completed",
    "action": {"type": "exec", "command": ["ls"], "env": {}},
}


def test_a_text_and_instructions() -> None:
    question = ask(instructions="Be brief.")
    assert question.turns == (say("system", "Be brief."), say("user", "hi"))
    assert (question.model, question.turns_place) == ("glm", "input")


def test_a_history_as_agents_send_it() -> None:
    """What one answer said and called is one turn; thinking and searches are not retold."""
    question = ask(
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Rules."}]},
        {"role": "user", "content": "Fix it."},
        {"type": "reasoning", "summary": [], "encrypted_content": None},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        CALL,
        PATCH,
        {"type": "function_call_output", "call_id": "call_1", "output": "hello"},
        {
            "type": "custom_tool_call_output",
            "call_id": "call_2",
            "output": [{"type": "input_text", "text": "ok"}],
        },
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
        SHELL,
        {"type": "local_shell_call_output", "id": "call_3", "output": '{"stdout":"a"}'},
    )
    assert question.turns == (
        say("system", "Rules."),
        say("user", "Fix it."),
        Turn(
            "assistant",
            (TextPart("I look."),),
            calls=(
                Call("call_1", "read", '{"path":"a"}'),
                Call("call_2", "apply_patch", "*** Begin", "custom"),
            ),
        ),
        Turn("tool", (TextPart("hello"),), call_id="call_1"),
        Turn("tool", (TextPart("ok"),), call_id="call_2"),
        Turn("assistant", (), calls=(Call("call_3", "local_shell", json.dumps(SHELL["action"])),)),
        Turn("tool", (TextPart('{"stdout":"a"}'),), call_id="call_3"),
    )


UNKNOWN: list[Any] = [
    {"type": "compaction", "encrypted_content": "x"},
    {"type": "tool_search_call", "arguments": {"query": 1}, "call_id": 5, "name": ["x"]},
    {"type": "mcp_call", "output": {"deep": [[]]}, "content": 3},
    {"type": "hologram", "role": 7} | {"role": "user"},
]


@pytest.mark.parametrize("item", UNKNOWN, ids=lambda item: item["type"])
def test_items_that_nobody_knows_are_skipped(item: Any) -> None:
    assert ask(item, {"role": "user", "content": "hi"}).turns == (say("user", "hi"),)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("plain", "plain"),
        ({"stdout": "x", "code": 0}, '{"stdout": "x", "code": 0}'),
        (7, "7"),
        ([{"type": "output_text", "text": "a"}, {"type": "encrypted_content"}], "a"),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_results_in_every_shape(output: Any, text: str | None) -> None:
    question = ask({"type": "function_call_output", "call_id": "c", "output": output})
    assert question.turns == (Turn("tool", (TextPart(text),) if text else (), call_id="c"),)


def test_names_of_a_namespace_are_whole_in_the_history() -> None:
    question = ask(CALL | {"namespace": "mcp__notes"}, PATCH | {"namespace": "ns"})
    assert [call.name for call in question.turns[0].calls] == ["mcp__notes__read", "ns__apply_patch"]


def test_arguments_may_be_an_object() -> None:
    question = ask(CALL | {"arguments": {"path": "a"}}, CALL | {"arguments": None})
    assert [call.arguments for call in question.turns[0].calls] == ['{"path":"a"}', "{}"]


PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"}


@pytest.mark.parametrize(
    ("part", "kind", "url", "place", "name"),
    [
        (PICTURE, "image", "data:image/png;base64,AA", "image_url", ""),
        (PICTURE | {"image_url": {"url": "https://x/1.png"}}, "image", "https://x/1.png", "image_url", ""),
        ({"type": "input_file", "file_url": "https://x/a.pdf"}, "file", "https://x/a.pdf", "file_url", ""),
        ({"type": "input_file", "file_data": "AA", "filename": "a.pdf"},
         "file", "data:;base64,AA", "file_data", "a.pdf"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_result", [True, False])
def test_pictures_and_documents_of_users_and_of_tools(
    part: Any, kind: Any, url: str, place: str, name: str, *, is_result: bool
) -> None:
    result = {"type": "function_call_output", "call_id": "c", "output": [part]}
    (turn,) = ask(result if is_result else {"role": "user", "content": [part]}).turns
    field = "output" if is_result else "content"
    assert turn.parts == (FilePart(kind, url, f"input.0.{field}.0.{place}", name),)


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"type": "input_image", "file_id": "f"}, "input.0.content.0.file_id"),
        ({"type": "input_image"}, "input.0.content.0.image_url"),
        ({"type": "input_file", "file_id": "f"}, "input.0.content.0.file_id"),
        ({"type": "input_file"}, "input.0.content.0.file_data"),
        ({"type": "input_audio", "input_audio": {}}, "input.0.content.0"),
    ],
)
def test_what_cannot_be_attached_is_told_where_it_has_to_be(part: Any, place: str) -> None:
    (turn,) = ask({"role": "user", "content": [part]}).turns
    (file,) = turn.parts
    assert isinstance(file, FilePart)
    assert file.unusable is not None
    assert file.unusable.param == place


# --- going on, and being kept ---


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (None, None, True)),
        ({"store": True}, (None, None, True)),
        ({"store": False}, (None, None, False)),
        ({"previous_response_id": ""}, (None, None, True)),
        ({"previous_response_id": "resp_65f6_12"}, ("65f6", 12, True)),
        ({"previous_response_id": "resp_a_b-c_1", "store": False}, ("a_b-c", 1, False)),
    ],
)
def test_what_goes_on_and_is_kept(fields: Any, expected: Any) -> None:
    question = ask(**fields)
    assert (question.continued_id, question.continued_turn, question.keeps_conversation) == expected


KNOWN = [
    {"role": "system", "content": "Rules."},
    {"role": "user", "content": "One."},
    {"type": "item_reference", "id": "rs_a_b_1_0"},
    {"id": "msg_a_b_1_1"},
    {"role": "user", "content": "Two."},
    {"type": "item_reference", "id": "fc_a_b_2_0"},
]


def test_a_reference_to_an_item_goes_on_from_its_answer() -> None:
    """What the conversation knows is not said again, but for the system's words."""
    result = {"type": "function_call_output", "call_id": "c", "output": "x"}
    question = ask(*KNOWN, result, {"role": "user", "content": "Three."})
    assert (question.continued_id, question.continued_turn) == ("a_b", 2)
    new = (Turn("tool", (TextPart("x"),), call_id="c"), say("user", "Three."))
    assert question.turns == (say("system", "Rules."), *new)


def test_beside_the_answer_to_go_on_from_references_say_nothing_new() -> None:
    question = ask(*KNOWN[4:], previous_response_id="resp_c_7")
    assert (question.continued_id, question.continued_turn) == ("c", 7)
    assert question.turns == (say("user", "Two."),)


# --- tools ---

READ = {"type": "function", "name": "read", "description": "Reads.", "parameters": {"type": "object"}}


def test_tools_of_every_kind() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
    question = ask(
        tools=[
            READ | {"strict": True},
            {"type": "custom", "name": "apply_patch", "description": "Edits.", "format": grammar},
            {"type": "custom", "name": "note", "format": {"type": "text"}},
            {"type": "namespace", "name": "mcp__notes", "description": "Notes.", "tools": [READ]},
            {"type": "function", "function": {"name": "old", "parameters": {}}},
            {"type": "computer_use_preview"},
            {"type": "tool_search", "name": {"odd": 1}},
            {"type": "mcp", "tools": 7},
        ]
    )
    assert [(tool.name, tool.kind, tool.namespace, tool.place) for tool in question.tools] == [
        ("read", "function", None, "tools.0"),
        ("apply_patch", "custom", None, "tools.1"),
        ("note", "custom", None, "tools.2"),
        ("read", "function", "mcp__notes", "tools.3.tools.0"),
        ("old", "function", None, "tools.4.function"),
    ]
    read, patch, note, *_ = question.tools
    assert (read.description, read.parameters) == ("Reads.", {"type": "object"})
    assert patch.description == "Edits.\nThe input follows this grammar (lark):\nstart: x"
    assert (note.description, question.search_tool) == ("", None)


@pytest.mark.parametrize("kind", ["web_search", "web_search_preview", "web_search_2025_08_26"])
def test_a_search_is_no_tool_of_the_clients(kind: str) -> None:
    question = ask(tools=[{"type": kind, "search_context_size": "low"}])
    assert (question.tools, question.search_tool) == ((), SearchTool())
    chosen = ask(tools=[{"type": kind}, READ], tool_choice={"type": kind})
    assert chosen.search_tool == SearchTool(is_chosen=True)
    only = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": kind}]}
    assert ask(tools=[{"type": kind}, READ], tool_choice=only).search_tool == SearchTool(is_chosen=True)


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, ToolChoice()),
        ({"tool_choice": "none"}, ToolChoice("none")),
        ({"tool_choice": "required"}, ToolChoice("required")),
        ({"tool_choice": {"type": "function", "name": "read"}}, ToolChoice("named", ("read",))),
        ({"tool_choice": {"type": "custom", "name": "x"}}, ToolChoice("named", ("x",))),
        ({"parallel_tool_calls": False}, ToolChoice(is_parallel=False)),
        ({"tool_choice": {"type": "allowed_tools", "mode": "required",
                          "tools": [{"type": "function", "name": "read"}, {"type": "web_search"}]}},
         ToolChoice("required", ("read",))),
    ],
)  # fmt: skip
def test_choices(fields: Any, choice: ToolChoice) -> None:
    assert ask(tools=[READ], **fields).choice == choice


def test_json_and_limits_and_thinking() -> None:
    schema = {"type": "object"}
    question = ask(
        text={"format": {"type": "json_schema", "name": "w", "schema": schema, "strict": True}},
        max_output_tokens=5,
        reasoning={"effort": "high", "summary": "auto"},
    )
    assert question.json_output == JsonOutput(schema, "text.format.schema")
    assert (question.max_tokens, question.effort) == (5, "high")
    assert ask(text={"format": {"type": "json_object"}}).json_output == JsonOutput(place="text.format")
    assert ask(text={"format": {"type": "text"}, "verbosity": "high"}).json_output is None


def test_unknown_fields_and_those_that_change_nothing_are_taken() -> None:
    ask(
        include=["reasoning.encrypted_content", "web_search_call.action.sources"],
        prompt_cache_key="k",
        service_tier="auto",
        client_metadata={"x": [1]},
        stream_options={"include_obfuscation": False},
        background=False,
        conversation=None,
        truncation="auto",
        user="u",
        temperature=1,
        context_management=[{"type": "compaction"}],
    )
