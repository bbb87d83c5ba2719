"""Tools that clients run themselves and declare by a type alone: shell, local_shell, apply_patch."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.responses import ResponseApplyPatchToolCall, ResponseFunctionShellToolCall
from openai.types.responses.response_output_item import LocalShellCall

from app.core.errors import InvalidRequest
from app.core.event import ReplyFinished, ToolCalled
from app.core.request import Call, TextPart, Turn
from app.core.tool import ToolChoice
from app.formats.openai_responses.identity import parse_item_id
from tests.app.formats.openai_responses.reading import HEAD, encode, fold, hear, parse

KEY = f"{HEAD.id}_{HEAD.turn}"
END = ReplyFinished("tool_calls")
DECLARED: list[Any] = [
    {"type": "shell", "environment": {"type": "local"}},
    {"type": "local_shell"},
    {"type": "apply_patch"},
]
PATCH = {"type": "update_file", "path": "a.txt", "diff": "@@\n-a\n+b"}
CALLS = [
    ("shell", {"commands": ["ls", "pwd"], "timeout_ms": 5}, "sh", ResponseFunctionShellToolCall,
     {"type": "shell_call",
      "action": {"commands": ["ls", "pwd"], "timeout_ms": 5, "max_output_length": None}}),
    ("local_shell", {"command": ["ls"], "type": "x", "timeout_ms": None, "user": "me"}, "lsh", LocalShellCall,
     {"type": "local_shell_call",
      "action": {"type": "exec", "command": ["ls"], "env": {}, "user": "me"}}),
    ("apply_patch", PATCH, "apc", ResponseApplyPatchToolCall,
     {"type": "apply_patch_call", "operation": PATCH}),
    ("apply_patch", {"type": "delete_file", "path": "a.txt"}, "apc", ResponseApplyPatchToolCall,
     {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a.txt", "diff": ""}}),
]  # fmt: skip
calls = pytest.mark.parametrize(("name", "arguments", "word", "kind", "fields"), CALLS)


def test_they_are_offered_with_a_schema_of_ours() -> None:
    tools = parse(tools=DECLARED).question.tools
    assert [(tool.name, tool.kind, tool.place) for tool in tools] == [
        ("shell", "function", "tools.0"),
        ("local_shell", "function", "tools.1"),
        ("apply_patch", "function", "tools.2"),
    ]
    for tool in tools:
        assert tool.description
        assert set(tool.parameters["required"]) <= set(tool.parameters["properties"])


@pytest.mark.parametrize("environment", [None, {"type": "local"}, {"type": "local", "skills": []}])
def test_a_shell_is_the_clients_unless_it_says_otherwise(environment: Any) -> None:
    (tool,) = parse(tools=[{"type": "shell", "environment": environment}]).question.tools
    assert tool.name == "shell"


@pytest.mark.parametrize("kind", ["container_auto", "container_reference"])
def test_a_shell_of_openais_is_skipped(kind: str) -> None:
    shell = {"type": "shell", "environment": {"type": kind, "container_id": "c"}}
    assert parse(tools=[shell]).question.tools == ()


def test_the_skills_of_a_shell_are_told() -> None:
    skills = [{"name": "csv", "description": "Reads tables.", "path": "/skills/csv"}]
    shell = {"type": "shell", "environment": {"type": "local", "skills": skills}}
    (tool,) = parse(tools=[shell]).question.tools
    assert tool.description.endswith("\n- csv: Reads tables. (/skills/csv)")


@calls
def test_a_call_is_an_item_of_its_own_type(
    name: str, arguments: Any, word: str, kind: Any, fields: Any
) -> None:
    called = ToolCalled("call_1", name, json.dumps(arguments))
    item = {"id": f"{word}_{KEY}_0", "call_id": "call_1", "status": "completed"} | fields
    streamed = hear(encode([[called, END]], tools=DECLARED))
    assert streamed.items == fold([called, END], tools=DECLARED)["output"] == [item]
    assert streamed.kinds[2:4] == ["response.output_item.added", "response.output_item.done"]
    read = kind.model_validate(item, strict=True)
    assert (read.type, read.call_id) == (fields["type"], "call_1")
    answer = parse_item_id(item["id"])
    assert answer is not None
    assert (answer.conversation, answer.turn) == (HEAD.id, HEAD.turn)


@calls
def test_it_comes_back_as_the_call_that_it_was(
    name: str, arguments: Any, word: str, kind: Any, fields: Any
) -> None:
    item = {"id": f"{word}_1", "call_id": "call_1", "status": "completed"} | fields
    (turn,) = parse(input=[item]).question.turns
    (call,) = turn.calls
    assert (call.id, call.name, call.kind) == ("call_1", name, "function")
    said = json.loads(call.arguments)
    assert said == fields["action" if "action" in fields else "operation"]


@pytest.mark.parametrize("name", ["shell", "local_shell", "apply_patch"])
def test_a_function_of_such_a_name_stays_one(name: str) -> None:
    tools = [{"type": "function", "name": name, "parameters": {"type": "object"}}]
    (item,) = hear(encode([[ToolCalled("call_1", name, "{}"), END]], tools=tools)).items
    assert item["type"] == "function_call"
    grouped = [*DECLARED, {"type": "namespace", "name": "mine", "tools": tools}]
    called = ToolCalled("call_1", name, "{}", namespace="mine")
    (item,) = hear(encode([[called, END]], tools=grouped)).items
    assert (item["type"], item["namespace"]) == ("function_call", "mine")


def test_arguments_that_fit_no_schema_are_delivered_as_far_as_they_are_known() -> None:
    called = [
        ToolCalled("call_1", "shell", '{"oops": 1}'),
        ToolCalled("call_2", "apply_patch", '{"path": 7}'),
    ]
    shell, patch = fold([*called, END], tools=DECLARED)["output"]
    assert shell["action"] == {"commands": [], "timeout_ms": None, "max_output_length": None}
    assert patch["operation"] == {"path": 7, "diff": ""}


def test_half_a_surrogate_pair_in_arguments_is_told_as_a_whole_character() -> None:
    """Models cut emoji in two, and JSON may say so."""
    called = ToolCalled("call_1", "shell", r'{"commands": ["echo \ud83d\ude00 \ud83d"]}')
    (item,) = hear(encode([[called, END]], tools=DECLARED)).items
    assert item["action"]["commands"] == ["echo 😀 \ufffd"]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ([{"stdout": "a\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}], "a\nexit code: 0"),
        ([{"stdout": "", "stderr": "no\n", "outcome": {"type": "exit", "exit_code": 2}},
          {"stdout": "b", "stderr": "", "outcome": {"type": "timeout"}, "created_by": "x"}],
         "stderr:\nno\nexit code: 2\nb\ntimeout"),
        ("plain", "plain"),
        ([], None),
        (None, None),
    ],
)  # fmt: skip
def test_what_commands_wrote_is_told_as_text(result: Any, text: str | None) -> None:
    output = {"type": "shell_call_output", "call_id": "call_1", "output": result, "max_output_length": 9}
    (turn,) = parse(input=[output]).question.turns
    assert turn == Turn("tool", (TextPart(text),) if text else (), call_id="call_1")


def test_what_commands_wrote_has_bounds() -> None:
    """As parts have: three bytes make an object."""
    with pytest.raises(InvalidRequest) as raised:
        parse(input=[{"type": "shell_call_output", "call_id": "call_1", "output": [{}] * 10_001}])
    assert raised.value.param == "input.0.output"


@pytest.mark.parametrize(
    ("fields", "text", "has_failed"),
    [
        ({"status": "completed", "output": "done"}, "done", False),
        ({"status": "failed", "output": "no such file"}, "no such file", True),
        ({"status": "completed"}, None, False),
        ({"status": "failed", "output": None}, None, True),
    ],
)
def test_what_came_of_a_patch(fields: Any, text: str | None, *, has_failed: bool) -> None:
    output = {"type": "apply_patch_call_output", "call_id": "call_1"} | fields
    (turn,) = parse(input=[output]).question.turns
    parts = (TextPart(text),) if text else ()
    assert turn == Turn("tool", parts, call_id="call_1", has_failed=has_failed)


def test_calls_that_no_tool_declares_are_in_the_history_too() -> None:
    question = parse(
        input=[
            {"role": "user", "content": "ls"},
            {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}},
            {"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "a.txt", "stderr": ""}]},
        ]
    ).question
    assert question.turns[1:] == (
        Turn("assistant", (), calls=(Call("c", "shell", '{"commands": ["ls"]}'),)),
        Turn("tool", (TextPart("a.txt"),), call_id="c"),
    )


@pytest.mark.parametrize("name", ["shell", "local_shell", "apply_patch"])
def test_choosing_one(name: str) -> None:
    named = parse(tools=DECLARED, tool_choice={"type": name})
    assert named.question.choice == ToolChoice("named", (name,))
    assert named.echo["tool_choice"] == {"type": name}
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": name}, {"type": "mcp"}]}
    narrowed = parse(tools=DECLARED, tool_choice=allowed).question
    assert narrowed.choice == ToolChoice("required", (name,))
