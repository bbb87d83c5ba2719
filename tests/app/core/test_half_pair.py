"""Half a surrogate pair in any text of a request is read as U+FFFD, in every format; nothing else changes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import half_pair
from app.core.errors import InvalidRequest
from app.core.half_pair import HalfPairs
from app.core.request import TextPart
from app.formats.anthropic_messages.asked import parse_message
from app.formats.format import Asked
from app.formats.openai_chat.asked import parse_chat
from app.formats.openai_responses.asked import parse_response

TOKENS = [
    r"\ud83d",
    r"\uDBff",
    r"\ude00",
    r"\uDC00",
    r"\ud83d\ude00",
    r"\\",
    r"\n",
    r"\"",
    r"\u0041",
    r"\uD7ff",
]
TEXTS = st.lists(st.sampled_from([*TOKENS, "a", "é", "😀", "ud83d"]), max_size=12).map("".join)


def mend(body: bytes) -> bytes:
    pairs = HalfPairs(body)
    for _ in pairs.steps():
        pass
    return body if pairs.mended is None else bytes(pairs.mended)


def read_as_browsers(literal: str) -> Any:
    text: str = json.loads(literal)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@given(TEXTS)
def test_halves_alone_are_replaced(text: str) -> None:
    literal = f'"{text}"'
    assert msgspec.json.decode(mend(literal.encode())) == read_as_browsers(literal)


@pytest.mark.parametrize("slice_bytes", [6010, 6011, 6012, 6013, 6014, 6015, 6016])
def test_no_slice_cuts_a_pair(slice_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_pair, "_SLICE_BYTES", slice_bytes)
    random = Random(slice_bytes)
    literal = f'"{"".join(random.choices([*TOKENS, "a", "😀"], k=20_000))}"'
    assert msgspec.json.decode(mend(literal.encode())) == read_as_browsers(literal)


@pytest.mark.parametrize(
    "body", [b"", b"\\", rb'"\ud83', rb'"\ud83d\ude', rb'"\uZZZZ"', rb'"\u', rb'{"a": "b"}']
)
def test_what_is_no_json_stays_so(body: bytes) -> None:
    pairs = HalfPairs(body)
    assert len(list(pairs.steps())) <= 1
    assert mend(body).replace(rb"\ufffd", rb"\ud83d") == body


@pytest.mark.parametrize("text", [r"\ud83d", r"\ud83da", r"\ud83d\ude00", r"\\", "a"])
def test_a_large_body_gives_turns(text: str) -> None:
    """A step is short whatever stands there: others are waiting."""
    pairs, longest, begun = (
        HalfPairs(f'"{text * (3_000_000 // len(text))}"'.encode()),
        0.0,
        time.thread_time(),
    )
    for _ in pairs.steps():
        now = time.thread_time()
        longest, begun = max(longest, now - begun), now
    assert longest < 0.1


HALF, READ = r"cut \ud83d", "cut \ufffd"
SCHEMA = '{"type": "object", "properties": {"a": {"description": "HERE"}}}'
CALL = '"name": "f", "%s": {"a": "HERE"}'
TOOL = f'"name": "f", "description": "HERE", "%s": {SCHEMA}'
BODIES: dict[str, tuple[Callable[..., Asked], str]] = {
    "chat": (
        parse_chat,
        f"""{{"messages": [{{"role": "user", "content": "HERE"}},
        {{"role": "assistant", "tool_calls": [{{"id": "a", "function": {{{CALL % "arguments"}}}}}]}},
        {{"role": "tool", "tool_call_id": "a", "content": [{{"type": "text", "text": "HERE"}}]}}],
        "tools": [{{"type": "function", "function": {{{TOOL % "parameters"}}}}}]}}""",
    ),
    "responses": (
        parse_response,
        f"""{{"input": [{{"role": "user", "content": "HERE"}},
        {{"type": "function_call", "call_id": "a", {CALL % "arguments"}}},
        {{"type": "function_call_output", "call_id": "a", "output": "HERE"}}],
        "tools": [{{"type": "function", {TOOL % "parameters"}}}]}}""",
    ),
    "messages": (
        parse_message,
        f"""{{"max_tokens": 9, "messages": [{{"role": "user", "content": "HERE"}},
        {{"role": "assistant", "content": [{{"type": "tool_use", "id": "a", {CALL % "input"}}}]}},
        {{"role": "user", "content": [{{"type": "tool_result", "tool_use_id": "a", "content": "HERE"}}]}}],
        "tools": [{{{TOOL % "input_schema"}}}]}}""",
    ),
}


@pytest.mark.parametrize("padding", [0, 2 * 1024 * 1024], ids=["small", "large"])
@pytest.mark.parametrize(("parse", "body"), BODIES.values(), ids=BODIES)
def test_every_format_reads_the_rest(parse: Callable[..., Asked], body: str, padding: int) -> None:
    sent = body.replace("HERE", HALF).encode() + b" " * padding
    question = parse(sent, max_text_chars=100_000).question
    asked, called, result = question.turns
    assert asked.parts == result.parts == (TextPart(READ),)
    assert json.loads(called.calls[0].arguments) == {"a": READ}
    (tool,) = question.tools
    assert (tool.description, tool.parameters["properties"]["a"]["description"]) == (READ, READ)


@pytest.mark.parametrize(("parse", "body"), BODIES.values(), ids=BODIES)
def test_what_else_is_wrong_is_still_said(parse: Callable[..., Asked], body: str) -> None:
    sent = body.replace("HERE", HALF).replace('"role": "user"', '"role": 1').encode()
    with pytest.raises(InvalidRequest, match="role"):
        parse(sent, max_text_chars=100_000)


def test_a_good_request_is_not_looked_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(half_pair, "HalfPairs")
    parse_chat(BODIES["chat"][1].encode(), max_text_chars=100_000)
