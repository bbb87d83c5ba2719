"""Chunks as OpenAI's own types read them, and the fold of the same events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from app.core.event import ReasoningDelta, ReplyEvent, ReplyFinished, TextDelta
from app.core.usage import TokenEstimate, Usage, estimate_tokens
from app.formats.format import ReplyHead
from app.formats.openai_chat.encoder import ChunkEncoder, CompletionFolder

EVENTS: list[ReplyEvent] = [
    ReasoningDelta("我想想"),
    TextDelta('He said "hi"\n'),
    TextDelta("你好\u2028\u0085😀"),
    ReplyFinished("stop"),
]


def encode(model: str = "glm", *, include_usage: bool = False) -> list[Any]:
    """The documents of a whole stream, [DONE] left out."""
    head = ReplyHead("65f6c28546bae1f0fbb532de", model, 1_700_000_000)
    encoder = ChunkEncoder(head, Usage(TokenEstimate()), include_usage=include_usage)
    stream = encoder.start() + encoder.encode(EVENTS)
    *events, rest = stream.split(b"\n\n")
    assert rest == b""
    assert events.pop() == b"data: [DONE]"
    return [json.loads(event.removeprefix(b"data: ")) for event in events]


@pytest.mark.parametrize("model", ["glm", 'a "quoted" one', "100%b", "线\u2028路", ""])
def test_official_types_read_every_chunk(model: str) -> None:
    chunks = [ChatCompletionChunk.model_validate(chunk, strict=True) for chunk in encode(model)]
    assert {chunk.model for chunk in chunks} == {model}
    assert chunks[0].choices[0].delta.role == "assistant"
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        == 'He said "hi"\n你好\u2028\u0085😀'
    )
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_no_line_splitter_can_cut_a_chunk() -> None:
    head = ReplyHead("x", "线\u2028路", 0)
    encoder = ChunkEncoder(head, Usage(TokenEstimate()), include_usage=True)
    stream = (encoder.start() + encoder.encode(EVENTS)).decode()
    assert [line for line in stream.splitlines() if line and not line.startswith("data: ")] == []


def test_usage_stands_in_a_chunk_of_its_own() -> None:
    *chunks, last = encode(include_usage=True)
    assert all(chunk["usage"] is None for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


def test_the_fold_equals_the_stream() -> None:
    folder = CompletionFolder(ReplyHead("x", "glm", 1), Usage(TokenEstimate()))
    folder.add(EVENTS)
    completion = ChatCompletion.model_validate(json.loads(folder.encode()), strict=True)
    chunks = encode()
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert completion.choices[0].message.content == text
    assert completion.choices[0].message.model_extra == {"reasoning_content": "我想想"}
    assert completion.choices[0].finish_reason == "stop"


def test_half_a_surrogate_pair_does_no_harm() -> None:
    encoder = ChunkEncoder(ReplyHead("x", "glm", 1), Usage(TokenEstimate()), include_usage=False)
    json.loads(encoder.encode([TextDelta("a\ud83d")]).removeprefix(b"data: "))


@pytest.mark.parametrize(
    ("text", "low", "high"), [("", 0, 0), ("hello world", 2, 4), ("今天天气怎么样", 3, 8)]
)
def test_tokens_are_estimated(text: str, low: int, high: int) -> None:
    assert low <= estimate_tokens(text) <= high
