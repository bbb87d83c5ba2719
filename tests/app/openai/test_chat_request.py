"""Request bodies: every documented field is checked, and its place is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.errors import InvalidRequest, UnsupportedValue
from app.openai.request import ChatRequest, parse_chat_request

HELLO = [{"role": "user", "content": "hi"}]


def parse(**fields: Any) -> ChatRequest:
    return parse_chat_request(json.dumps({"messages": HELLO} | fields).encode())


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("model", 1),
        ("stream", "yes"),
        ("temperature", "0.5"),
        ("top_p", []),
        ("n", "1"),
        ("stop", 5),
        ("max_tokens", 1.5),
        ("max_completion_tokens", "9"),
        ("presence_penalty", {}),
        ("frequency_penalty", "x"),
        ("logit_bias", []),
        ("logprobs", 1),
        ("top_logprobs", "2"),
        ("seed", "s"),
        ("user", 3),
        ("store", "no"),
        ("metadata", "m"),
        ("tools", {}),
        ("tool_choice", 1),
        ("functions", "f"),
        ("function_call", 2),
        ("parallel_tool_calls", "p"),
        ("response_format", "json"),
        ("service_tier", 1),
        ("stream_options", True),
        ("reasoning_effort", "huge"),
        ("web_search", "on"),
        ("web_search_options", []),
        ("conversation_id", 7),
        ("modalities", "text"),
        ("audio", 1),
        ("prediction", 1),
        ("verbosity", 1),
        ("safety_identifier", 1),
        ("prompt_cache_key", 1),
        ("deep_research", "x"),
    ],
)
def test_a_wrong_type_names_the_field(field: str, wrong: object) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(**{field: wrong})
    assert raised.value.param == field


@pytest.mark.parametrize(
    "field", [name for name in ChatRequest.__struct_fields__ if name not in {"messages", "model"}]
)
def test_null_is_absence(field: str) -> None:
    parse(**{field: None})


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "text", "text": 1}, "messages.0.content.0.text"),
        ({"type": "image_url", "image_url": {}}, "messages.0.content.0.image_url.url"),
        ({"type": "image_url", "image_url": "http://x"}, "messages.0.content.0.image_url"),
        ({"type": "file", "file_url": {"url": 1}}, "messages.0.content.0.file_url.url"),
        ({"type": "hologram"}, "messages.0.content.0.type"),
    ],
)
def test_a_wrong_part_is_found(part: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(messages=[{"role": "user", "content": [part]}])
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_what_would_have_to_be_faked_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedValue) as raised:
        parse(**fields)
    assert raised.value.param == param


@pytest.mark.parametrize("fields", [{"n": 1}, {"tools": [{"type": "function"}], "tool_choice": "auto"},
                                    {"response_format": {"type": "text"}}, {"from_the_future": [1]},
                                    {"temperature": 1}, {"stop": ["a", "b"]}])  # fmt: skip
def test_what_does_no_harm_is_accepted(fields: dict[str, Any]) -> None:
    parse(**fields)


@pytest.mark.parametrize("named", [None, "", "none", "None", "null", " "])
def test_no_conversation_is_named(named: str | None) -> None:
    assert parse(conversation_id=named).continued_id is None


def test_a_conversation_is_named() -> None:
    assert parse(conversation_id="65f6c28546bae1f0fbb532de").continued_id == "65f6c28546bae1f0fbb532de"
