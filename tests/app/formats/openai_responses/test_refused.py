"""What of a Responses request is refused, and where that is said to stand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import GatewayError, InvalidRequest, PromptTooLong, UnsupportedValue
from app.formats.openai_responses.asked import parse_response
from tests.app.formats.openai_responses.reading import parse

CALL = {"type": "function_call", "call_id": "call_1", "name": "read", "arguments": "{}"}

REFUSED: list[tuple[Any, str | None, str]] = [
    ({"input": ""}, "input", "invalid_value"),
    ({"input": []}, "input", "invalid_value"),
    ({"input": None}, "input", "invalid_value"),
    ({"input": 5}, "input", "invalid_value"),
    ({"input": [5]}, "input.0", "invalid_value"),
    ({"input": [{}]}, "input.0", "invalid_value"),
    ({"input": [{"role": "narrator", "content": "x"}]}, "input.0.role", "invalid_value"),
    ({"input": [{"role": "user", "content": 5}]}, "input.0.content", "invalid_value"),
    ({"input": [{"role": "user", "content": [{"text": "x"}]}]}, "input.0.content.0.type", "invalid_value"),
    ({"input": [{"role": "user", "content": [{"type": "x"}]}]}, "input.0.content.0", "unsupported_value"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input.0", "previous_response_not_found"),
    ({"input": [{"type": "reasoning", "summary": []}]}, "input", "invalid_value"),
    ({"input": [{"type": "item_reference", "id": "msg_a_1_0"}]}, "input", "invalid_value"),
    ({"input": [{"type": "item_reference"}]}, "input.0", "previous_response_not_found"),
    ({"input": [{"type": "item_reference", "id": 5}]}, "input.0", "previous_response_not_found"),
    ({"input": [CALL | {"arguments": 5}]}, "input.0.arguments", "invalid_value"),
    ({"background": True}, "background", "unsupported_value"),
    ({"conversation": "conv_1"}, "conversation", "unsupported_value"),
    ({"conversation": {"id": "conv_1"}}, "conversation", "unsupported_value"),
    ({"prompt": {"id": "pmpt_1"}}, "prompt", "unsupported_value"),
    ({"top_logprobs": 2}, "top_logprobs", "unsupported_value"),
    ({"include": ["message.output_text.logprobs"]}, "include", "unsupported_value"),
    ({"previous_response_id": "resp_1"}, "previous_response_id", "previous_response_not_found"),
    ({"previous_response_id": "resp_a_0"}, "previous_response_id", "previous_response_not_found"),
    (
        {"previous_response_id": "resp_" + "a" * 65 + "_1"},
        "previous_response_id",
        "previous_response_not_found",
    ),
    ({"previous_response_id": "chatcmpl-1"}, "previous_response_id", "previous_response_not_found"),
    ({"tools": [{"type": "function"}]}, "tools.0.name", "invalid_value"),
    ({"tools": [{"type": "namespace", "name": "n", "tools": [{}]}]}, "tools.0.tools.0.name", "invalid_value"),
    ({"tool_choice": {"type": "web_search"}}, "tool_choice", "invalid_value"),
    ({"tool_choice": {"type": "image_generation"}}, "tool_choice", "unsupported_value"),
    ({"tool_choice": {"type": "function"}}, "tool_choice", "unsupported_value"),
    ({"tool_choice": "perhaps"}, "tool_choice", "invalid_value"),
    ({"text": {"format": {"type": "grammar"}}}, "text.format.type", "unsupported_value"),
    ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema", "invalid_value"),
    ({"max_output_tokens": 0}, "max_output_tokens", "invalid_value"),
    ({"metadata": {"a": "x" * 513}}, "metadata", "invalid_value"),
    ({"reasoning": {"effort": "herculean"}}, "reasoning.effort", "invalid_value"),
]


@pytest.mark.parametrize(("fields", "place", "code"), REFUSED)
def test_what_is_refused_names_its_place(fields: Any, place: str | None, code: str) -> None:
    with pytest.raises(GatewayError) as raised:
        parse(**fields)
    assert (raised.value.status, raised.value.param, raised.value.code) == (400, place, code)


MCP = {"type": "mcp", "server_label": "x", "server_url": "https://mcp.example"}
READ = {"type": "function", "name": "read"}
ANY = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "mcp", "server_label": "x"}]}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tools": [MCP], "tool_choice": "required"}, "not available here: mcp"),
        ({"tools": [MCP], "tool_choice": "any"}, "not available here: mcp"),
        ({"tools": [MCP, {"type": "code_interpreter"}, MCP], "tool_choice": "required"},
         "not available here: mcp, code_interpreter."),
        ({"tools": [{"type": "shell", "environment": {"type": "container_auto"}}], "tool_choice": "required"},
         "not available here: shell"),
        ({"tools": [{"type": "x" * 99}], "tool_choice": "required"}, "x" * 64 + "."),
        ({"tools": [READ, MCP], "tool_choice": ANY}, "not available here: mcp"),
        ({"tools": [READ, MCP, {"type": "web_search"}], "tool_choice": ANY}, "not available here: mcp"),
        ({"tools": [MCP, {"type": "web_search"}], "tool_choice": ANY}, "not available here: mcp"),
        ({"tools": [{"type": "namespace", "name": "n", "tools": []}], "tool_choice": "required"},
         "no tool is left"),
        ({"input": [{"type": "additional_tools", "tools": [MCP]}, {"role": "user", "content": "x"}],
          "tool_choice": "required"},
         "not available here: mcp"),
    ],
)  # fmt: skip
def test_a_forced_call_that_no_tool_is_left_for(fields: Any, words: str) -> None:
    """A plain text would look as if the model had not obeyed."""
    with pytest.raises(UnsupportedValue) as raised:
        parse(**fields)
    assert (raised.value.status, raised.value.param) == (400, "tool_choice")
    assert words in raised.value.text


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [MCP, READ], "tool_choice": "required"},
        {"tools": [MCP, {"type": "web_search"}], "tool_choice": "required"},
        {"tools": [MCP], "tool_choice": "auto"},
        {"tools": [MCP], "tool_choice": "none"},
        {"tools": [MCP], "tool_choice": ANY | {"mode": "auto"}},
        {"tools": [], "tool_choice": "required"},
        {"tool_choice": "required"},
    ],
)
def test_what_can_be_met_or_wants_nothing_is_taken(fields: Any) -> None:
    parse(**fields)


def test_too_much_text_is_told_of_the_input() -> None:
    body = json.dumps({"input": "x" * 3000}).encode()
    with pytest.raises(PromptTooLong) as raised:
        parse_response(body, max_text_chars=2000)
    assert raised.value.param == "input"


def test_a_hostile_body_is_refused_and_not_held() -> None:
    for body in (b"", b"{", b"[]", b"null", b'{"input":' + b"[" * 100_000, b"\xff"):
        with pytest.raises(InvalidRequest):
            parse_response(body, max_text_chars=2000)


@pytest.mark.parametrize(
    "item",
    [
        b'{"type": "local_shell_call", "call_id": "a", "action": {"command": "\xff"}}',
        b'{"type": "function_call_output", "call_id": "a", "output": {"text": "\xc3("}}',
        b'{"type": "custom_tool_call_output", "call_id": "a", "output": {"\xed\xa0\x80": 1}}',
        b'{"type": "function_call", "name": "a", "arguments": {"text": "\xff"}}',
    ],
)
def test_what_is_retold_undecoded_is_utf8_too(item: bytes) -> None:
    with pytest.raises(InvalidRequest, match="not UTF-8"):
        parse_response(b'{"input": [%b]}' % item, max_text_chars=10_000)
