"""Request bodies: every documented field is checked, and its place is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import InvalidRequest, UnsupportedValue
from app.formats.openai_chat.request import ChatRequest, parse_chat_request

HELLO = [{"role": "user", "content": "hi"}]


def parse(**fields: Any) -> ChatRequest:
    return parse_chat_request(json.dumps({"messages": HELLO} | fields).encode())


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("model", 1),
        ("stream", "yes"),
        ("temperature", "[undefined]"),
        ("top_p", []),
        ("n", "one"),
        ("stop", 5),
        ("max_tokens", 1.5),
        ("max_completion_tokens", ""),
        ("presence_penalty", {}),
        ("frequency_penalty", "x"),
        ("logit_bias", "x"),
        ("logprobs", 1),
        ("top_logprobs", "x"),
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
        ("reasoning_effort", 5),
        ("web_search", "on"),
        ("web_search_options", "x"),
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
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_what_would_have_to_be_faked_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedValue) as raised:
        parse(**fields)
    assert raised.value.param == param


@pytest.mark.parametrize("fields", [{"n": 1}, {"tools": [{"type": "web_search"}], "tool_choice": "auto"},
                                    {"response_format": {"type": "text"}}, {"from_the_future": [1]},
                                    {"temperature": 1}, {"stop": ["a", "b"]}, {"n": "1"},
                                    {"temperature": "0.5"}, {"stream": "true"}, {"modalities": []},
                                    {"model": None}])  # fmt: skip
def test_what_does_no_harm_is_accepted(fields: dict[str, Any]) -> None:
    parse(**fields)


@pytest.mark.parametrize("named", [None, "", "none", "None", "null", " "])
def test_no_conversation_is_named(named: str | None) -> None:
    assert parse(conversation_id=named).continued_id is None


def test_a_conversation_is_named() -> None:
    assert parse(conversation_id="65f6c28546bae1f0fbb532de").continued_id == "65f6c28546bae1f0fbb532de"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"stop": ""}, "stop"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": ["a", ""]}, "stop.1"),
        ({"stop": ["a", 1]}, "stop.1"),
        ({"stop": "x" * 1001}, "stop"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
    ],
)
def test_ends_and_displays_that_make_no_sense(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(**fields)
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("fields", "stop", "max_tokens"),
    [
        ({}, (), None),
        ({"stop": []}, (), None),
        ({"max_tokens": "5", "max_completion_tokens": "7"}, (), 5),
        ({"stop": None, "max_tokens": None, "max_completion_tokens": None}, (), None),
        ({"stop": "END", "max_tokens": 5}, ("END",), 5),
        (
            {"stop": ["a", "b", "c", "\n"], "max_tokens": 5, "max_completion_tokens": 3},
            ("a", "b", "c", "\n"),
            3,
        ),
        ({"max_tokens": 2, "max_completion_tokens": 3}, (), 2),
    ],
)
def test_where_an_answer_ends(fields: dict[str, Any], stop: tuple[str, ...], max_tokens: int | None) -> None:
    request = parse(**fields)
    assert (request.stop_sequences, request.token_limit) == (stop, max_tokens)
