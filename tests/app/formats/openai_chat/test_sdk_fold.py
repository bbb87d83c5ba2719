"""openai-python's own accumulator has at the end of a stream what the whole answer says: for every recorded
answer, and for every way in which a model calls.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any, cast

import pytest
from openai import omit
from openai._models import construct_type
from openai.lib.streaming.chat._completions import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from app.core.event import ReplyEvent
from app.core.usage import TokenEstimate, Usage
from app.formats.format import ReplyHead
from app.formats.openai_chat.asked import parse_chat
from tests.app.formats.openai_responses.test_every_answer import TOOL_ANSWERS, read_calls
from tests.app.upstream.pipeline import play
from tests.fixture_table import Fixture, load_fixtures

HEAD = ReplyHead("65f6c28546bae1f0fbb532de", "glm", 1_700_000_000)
ASKED = parse_chat(
    json.dumps(
        {
            "messages": [{"role": "user", "content": "hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ).encode(),
    max_text_chars=1000,
)
END = b"data: [DONE]\n\n"


def encode(events: Sequence[ReplyEvent], rng: Random) -> bytes:
    """The stream, cut into pieces anywhere, with a heartbeat between."""
    encoder, cut = ASKED.build_encoder(HEAD, Usage(TokenEstimate())), rng.randint(0, len(events) - 1)
    written = [
        encoder.start(),
        encoder.encode(events[:cut]),
        encoder.heartbeat(),
        encoder.encode(events[cut:]),
    ]
    return b"".join(written)


def accumulate(stream: bytes) -> dict[str, Any]:
    """What the SDK has at the end: exactly one choice ended, and nothing came behind it but its usage."""
    assert stream.count(END) == 1
    assert stream.endswith(END)
    lines = stream.removesuffix(END).decode().splitlines()
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    finishes = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert [bool(finish) for finish in finishes] == [False] * (len(finishes) - 1) + [True]
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState(input_tools=omit, response_format=omit)
    for chunk in chunks:
        state.handle_chunk(cast(ChatCompletionChunk, construct_type(type_=ChatCompletionChunk, value=chunk)))
    return state.current_completion_snapshot.model_dump(mode="json", exclude_none=True)


def check_same(events: Sequence[ReplyEvent], name: str) -> dict[str, Any]:
    """Gives the message."""
    folder = ASKED.build_folder(HEAD, Usage(TokenEstimate()))
    folder.add(events)
    whole = json.loads(folder.encode())
    streamed = accumulate(encode(events, Random(name)))
    (heard,), (said,) = streamed["choices"], whole["choices"]
    message: dict[str, Any] = said["message"]
    calls = [
        {key: call[key] for key in call if key != "index"} for call in heard["message"].get("tool_calls", ())
    ]
    assert calls == (message.get("tool_calls") or [])
    assert [call["index"] for call in heard["message"].get("tool_calls", ())] == list(range(len(calls)))
    for field in ("content", "reasoning_content", "annotations", "images"):
        assert (heard["message"].get(field) or None) == (message.get(field) or None), field
    assert heard["finish_reason"] == said["finish_reason"]
    assert streamed["usage"] == whole["usage"]
    return message


@pytest.mark.parametrize("fixture", load_fixtures(), ids=str)
def test_every_recorded_answer(fixture: Fixture) -> None:
    events = list(play([fixture.data]).events)
    if fixture.finish is not None:
        message = check_same(events, fixture.name)
        assert (message["content"] or "") == fixture.text


@pytest.mark.parametrize("name", TOOL_ANSWERS)
def test_every_way_to_call(name: str) -> None:
    text, expected = TOOL_ANSWERS[name]
    events = read_calls(text)
    calls = check_same(events, name).get("tool_calls") or []
    heard = [call.get("function") or call["custom"] for call in calls]
    assert [(call["name"], call.get("arguments", call.get("input"))) for call in heard] == list(
        expected.calls
    )
