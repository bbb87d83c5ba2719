"""Good requests with anything in any place: read as a question, or refused as the client's mistake."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import InvalidRequest
from app.core.size import measure_question
from app.formats.anthropic_messages.asked import parse_message
from app.formats.format import Asked
from app.formats.openai_responses.asked import parse_response

SCHEMA: Any = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
PICTURE: Any = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
MESSAGES: Any = {
    "model": "glm",
    "max_tokens": 100,
    "stream": True,
    "system": [{"type": "text", "text": "x-anthropic-billing-header: a\nBe short."}],
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Look."}, {"type": "image", "source": PICTURE}],
        },
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "a", "name": "read", "input": {"path": "a"}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "b"}]}
            ],
        },
    ],
    "tools": [{"name": "read", "input_schema": SCHEMA}, {"type": "web_search_20250305", "name": "search"}],
    "tool_choice": {"type": "tool", "name": "read", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
    "stop_sequences": ["END"],
}
RESPONSES: Any = {
    "model": "glm",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Look."}]},
        {"type": "function_call", "call_id": "a", "name": "read", "arguments": {"path": "a"}},
        {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "b"}]},
        {"type": "local_shell_call", "call_id": "b", "action": {"command": ["ls"]}},
        {"type": "local_shell_call_output", "id": "b", "output": {"text": "c"}},
        {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}},
        {
            "type": "shell_call_output",
            "call_id": "c",
            "output": [{"stdout": "a", "stderr": "b", "outcome": {"type": "exit", "exit_code": 1}}],
        },
        {"type": "apply_patch_call", "call_id": "d", "operation": {"type": "delete_file", "path": "a"}},
        {"type": "apply_patch_call_output", "call_id": "d", "status": "failed", "output": "no"},
        {"type": "additional_tools", "tools": [{"type": "local_shell"}]},
        {
            "type": "configuration_update",
            "reasoning": {"effort": "low"},
            "text": {"format": {"type": "text"}},
        },
    ],
    "instructions": "Be short.",
    "tools": [
        {"type": "function", "name": "read", "parameters": SCHEMA},
        {"type": "custom", "name": "patch", "format": {"type": "grammar", "definition": "a"}},
        {"type": "shell", "environment": {"type": "local", "skills": [{"name": "a", "path": "b"}]}},
        {"type": "namespace", "name": "files", "tools": [{"type": "function", "name": "list"}]},
    ],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "read"}]},
    "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}},
    "reasoning": {"effort": "high", "summary": "auto"},
    "metadata": {"a": "b"},
}
FORMATS = pytest.mark.parametrize(
    ("parse", "request_body"),
    [(parse_message, MESSAGES), (parse_response, RESPONSES)],
    ids=["messages", "responses"],
)
WORDS = st.sampled_from(["tool_use", "tool_result", "image", "item_reference", "text", "", "none", "\x00"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)


def list_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in entries:
        yield (*place, key)
        yield from list_places(inner, (*place, key))


def replace_at(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = inner = copy.deepcopy(body)
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def check(parse: Callable[..., Asked], body: bytes) -> None:
    try:
        question = parse(body, max_text_chars=100_000).question
    except InvalidRequest:
        return
    assert question.turns
    assert measure_question(question) > 0


@FORMATS
@settings(max_examples=300)
@given(data=st.data())
def test_anything_in_any_place(parse: Callable[..., Asked], request_body: Any, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(list(list_places(request_body))))
    check(parse, json.dumps(replace_at(request_body, place, data.draw(ANYTHING))).encode())


@FORMATS
def test_bytes_that_are_no_text_in_any_place(parse: Callable[..., Asked], request_body: Any) -> None:
    for place in list_places(request_body):
        for wrong in (b'"\xff"', b'{"a": "\xc3("}', b"[" * 2000, b'{"a":' * 300 + b"1" + b"}" * 300):
            body = json.dumps(replace_at(request_body, place, "HERE")).encode().replace(b'"HERE"', wrong)
            check(parse, body)
