"""Bodies that no client should send: an error with a reason, never a crash and never a hang."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import completion_create_params

from app.chat.attachment import find_attachments
from app.core.errors import InvalidRequest, PromptTooLong
from app.core.request import Question
from app.formats.json_body import MAX_TEXT_CHARS
from app.formats.openai_chat import request
from app.formats.openai_chat.asked import parse_chat
from app.formats.openai_chat.request import (
    MAX_MESSAGES,
    MAX_PARTS,
    MAX_TOOLS,
    ChatRequest,
    parse_chat_request,
)

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "hi"}]


def read(body: bytes) -> Question:
    """All that is read of a body; a part of the user's that cannot be attached is refused."""
    question = parse_chat(body, max_text_chars=MAX_TEXT_CHARS).question
    find_attachments(question.turns, continues=False)
    return question


def refuse(body: bytes) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as raised:
        read(body)
    assert raised.value.message
    assert len(raised.value.message) < 1000
    return raised.value


def test_every_field_of_the_official_package_is_declared() -> None:
    official = get_type_hints(completion_create_params.CompletionCreateParamsStreaming)
    assert set(official) <= set(ChatRequest.__struct_fields__)


NO_JSON: dict[str, bytes] = {
    "nothing": b"",
    "blank": b"  \n",
    "no json": b"messages=hi",
    "cut": b'{"messages": [',
    "two documents": b'{"messages":[]}{"messages":[]}',
    "trailing comma": b'{"messages":[],}',
    "single quotes": b"{'messages': []}",
    "a comment": b'{"messages":[]} // hi',
    "NaN": b'{"messages":[{"role":"user","content":"hi"}],"temperature":NaN}',
    "Infinity": b'{"messages":[{"role":"user","content":"hi"}],"temperature":-Infinity}',
    "invalid UTF-8": b'{"messages":[{"role":"user","content":"\xff\xfe"}]}',
    "cut UTF-8": b'{"messages":[{"role":"user","content":"\xe4\xbd"}]}',
    "UTF-16": '{"messages":[]}'.encode("utf-16"),
    "two byte-order marks": b"\xef\xbb\xbf" * 2 + b'{"messages":[{"role":"user","content":"hi"}]}',
    "raw control character": b'{"messages":[{"role":"user","content":"a\nb"}]}',
    "half a surrogate pair, then cut": rb'{"messages":[{"role":"user","content":"\ud83d',
    "half an escape": rb'{"messages":[{"role":"user","content":"\ud83"}]}',
    "binary": bytes(range(256)),
    "only zeros": b"\x00" * 1000,
    "unending number": b'{"temperature":' + b"9" * 100_000 + b"}",
    "only opening braces": b'{"a":' * 1_000_000,
}
NO_REQUEST: dict[str, bytes] = {
    "an array": b"[]",
    "only opening brackets": b"[" * 1_000_000,
    "null": b"null",
    "a number": b"7",
    "a string": b'"messages"',
    "an empty object": b"{}",
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    assert any(word in refuse(body).message for word in ("JSON", "nested", "Number", "names and values"))


@pytest.mark.parametrize("body", NO_REQUEST.values(), ids=NO_REQUEST)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    refuse(body)


@pytest.mark.parametrize(
    "field", ["messages", "tools", "metadata", "stop", "logit_bias", "response_format", "unknown"]
)
@pytest.mark.parametrize("depth", [500, 100_000])
def test_deep_nesting_ends(field: str, depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    body = b'{"messages":[{"role":"user","content":"hi"}],"%b":%b}' % (field.encode(), nested)
    if field == "unknown" and depth == 500:
        parse_chat_request(body)
    else:
        refuse(body)


@pytest.mark.parametrize("is_ascii", [True, False], ids=["escaped", "plain"])
def test_as_much_text_as_may_be_is_read_quickly(is_ascii: bool) -> None:
    text = "很长的文字 " * 600_000
    body = json.dumps({"messages": [{"role": "user", "content": text}]}, ensure_ascii=is_ascii).encode()
    begun = time.thread_time()
    assert parse_chat_request(body).messages[0].content == text
    assert time.thread_time() - begun < 2
    with pytest.raises(PromptTooLong):
        parse_chat_request(body, max_text_chars=3_500_000)


def test_text_beyond_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(_: bytes) -> ChatRequest:
        raise AssertionError("decoded")

    monkeypatch.setattr(request, "_decode_chat", decode)
    body = json.dumps({"messages": [{"role": "user", "content": "x" * 5_000_000}]}).encode()
    with pytest.raises(PromptTooLong) as raised:
        parse_chat_request(body)
    assert raised.value.param == "messages"


MANY: dict[str, tuple[dict[str, Any], str]] = {
    "messages": ({"messages": HELLO * (MAX_MESSAGES + 1)}, "messages"),
    "parts": ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}] * (MAX_PARTS + 1)}]},
              "messages.0.content"),
    "pictures": ({"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "http://a"}}] * (MAX_PARTS + 1)}]}, "messages.0.content"),
    "calls": ({"messages": [{"role": "assistant", "tool_calls": [{}] * (MAX_PARTS + 1)}]},
              "messages.0.tool_calls"),
    "tools": ({"messages": HELLO, "tools": [{}] * (MAX_TOOLS + 1)}, "tools"),
    "functions": ({"messages": HELLO, "functions": [{"name": "f"}] * (MAX_TOOLS + 1)}, "functions"),
    "modalities": ({"messages": HELLO, "modalities": ["text"] * 17}, "modalities"),
    "stop": ({"messages": HELLO, "stop": ["x"] * 100_000}, "stop"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "param"), MANY.values(), ids=MANY)
def test_lists_have_an_end_and_it_is_said_which(fields: dict[str, Any], param: str) -> None:
    assert refuse(json.dumps(fields).encode()).param == param


UNREAD = ["metadata", "web_search_options", "audio", "function_call", "logit_bias", "moderation"]
UNREAD += ["prediction", "prompt_cache_options", "tool_choice", "unknown"]


@pytest.mark.parametrize("field", UNREAD)
def test_what_nothing_reads_is_not_decoded(field: str) -> None:
    """Half a million objects would take 32 MB."""
    body = json.dumps({"messages": HELLO, field: {"a": [{}] * 240_000}}).encode()
    tracemalloc.start()
    try:
        with contextlib.suppress(InvalidRequest):
            parse_chat_request(body)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_large_request_as_agents_send_them_passes() -> None:
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(30)}}
    tools = [{"type": "function", "function": {"name": f"f{n}", "parameters": schema}} for n in range(400)]
    call = {"id": "c", "type": "function", "function": {"name": "f1", "arguments": '{"p1": "x"}'}}
    turn = [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "a result, of some length " * 20},
    ]
    body = json.dumps({"messages": HELLO + turn * 4000, "tools": tools}).encode()
    assert len(body) > 3_000_000
    assert len(parse_chat_request(body).messages) == 8001


def test_much_in_the_wrong_place_is_refused_quickly_and_not_quoted() -> None:
    begun = time.process_time()
    refuse(json.dumps({"messages": HELLO, "model": ["x" * 20_000_000]}).encode())
    refuse(json.dumps({"messages": HELLO, "reasoning_effort": "x" * 20_000_000}).encode())
    refuse(json.dumps({"messages": [{"role": "x" * 20_000_000, "content": "hi"}]}).encode())
    assert time.process_time() - begun < 5


NUMBERS = ["n", "max_tokens", "max_completion_tokens", "seed", "top_logprobs", "temperature", "top_p"]


@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize("wrong", ["one", "", "[undefined]", True, [1], {"value": 1}])
def test_numbers_are_numbers(field: str, wrong: object) -> None:
    assert refuse(json.dumps({"messages": HELLO, field: wrong}).encode()).param == field


@pytest.mark.parametrize("field", ["n", "max_tokens", "seed"])
@pytest.mark.parametrize("wrong", [1.5, -0.5, 1e300])
def test_whole_numbers_are_whole(field: str, wrong: float) -> None:
    assert refuse(json.dumps({"messages": HELLO, field: wrong}).encode()).param == field


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ({}, "messages"),
        ("hi", "messages"),
        (None, "messages"),
        ([None], "messages.0"),
        (["hi"], "messages.0"),
        ([[]], "messages.0"),
        ([{}], "messages.0.role"),
        ([{"role": None, "content": "x"}], "messages.0.role"),
        ([{"role": "king", "content": "x"}], "messages.0.role"),
        ([{"role": "user", "content": 5}], "messages.0.content"),
        ([{"role": "user", "content": {"temp": 21}}], "messages.0.content"),
        ([{"role": "user", "content": {"type": "hologram"}}], "messages.0.content"),
        ([{"role": "user", "content": [5]}], "messages.0.content.0"),
        ([{"role": "user", "content": [{"words": "x"}]}], "messages.0.content.0.type"),
        ([{"role": "user", "content": [{"type": "text", "text": 1}]}], "messages.0.content.0.text"),
        ([{"role": "user", "content": [{"type": "image"}]}], "messages.0.content.0.type"),
        ([*HELLO, {"role": "user", "content": 5}], "messages.1.content"),
        ([{"role": "tool", "content": "x", "tool_call_id": []}], "messages.0.tool_call_id"),
        ([{"role": "assistant", "tool_calls": {}}], "messages.0.tool_calls"),
        ([{"role": "assistant", "tool_calls": [{"function": {"name": 1}}]}],
         "messages.0.tool_calls.0.function.name"),
    ],
)  # fmt: skip
def test_the_place_in_the_messages_is_named(messages: object, param: str) -> None:
    error = refuse(json.dumps({"messages": messages}).encode())
    assert error.param == param
    assert param in error.message


def test_a_missing_field_is_named() -> None:
    assert refuse(b'{"model":"glm"}').param == "messages"


def test_a_model_has_a_name_and_not_a_novel() -> None:
    """It is repeated in every chunk."""
    assert (
        parse_chat_request(json.dumps({"messages": HELLO, "model": "模" * 256}).encode()).model == "模" * 256
    )
    assert refuse(json.dumps({"messages": HELLO, "model": "x" * 257}).encode()).param == "model"


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
@pytest.mark.parametrize("content", ["text", None, [], [{"type": "text", "text": "x"}]])
def test_every_role_with_every_content(role: str, content: object) -> None:
    parsed = parse_chat_request(json.dumps({"messages": [{"role": role, "content": content}]}).encode())
    assert parsed.messages[0].role == role


GOOD_PARTS: list[dict[str, Any]] = [
    {"type": "image_url", "image_url": {"url": "https://x.example/1.png", "detail": "auto"}},
    {"type": "file", "file": {"file_data": "data:;base64,", "filename": "a.txt"}},
    {"type": "file", "file_url": {"url": "https://x.example/a.pdf"}},
    {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    {"type": "refusal", "refusal": "no"},
    {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
]


@pytest.mark.parametrize("part", GOOD_PARTS)
def test_documented_parts_are_read(part: dict[str, Any]) -> None:
    parse_chat(json.dumps({"messages": [{"role": "user", "content": [part]}]}).encode(), max_text_chars=99)


def test_a_byte_order_mark_is_no_part_of_the_body() -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"messages": HELLO}).encode()
    assert read(body) == read(body[3:])


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_chat_request(noise)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(ChatRequest.__struct_fields__), json_values)
def test_any_value_in_any_field_is_read_or_refused_by_name(field: str, value: object) -> None:
    named = field
    try:
        read(json.dumps({"messages": HELLO, field: value}).encode())
    except InvalidRequest as error:
        named = (error.param or field).split(".")[0]
    assert named == field or (field, named) == ("top_logprobs", "logprobs")
