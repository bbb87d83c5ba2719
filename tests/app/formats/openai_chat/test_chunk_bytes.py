"""What goes over the wire, byte for byte; usage; and failures as official clients understand them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import APIError, OpenAI
from openai._streaming import SSEDecoder
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from app.catalogue.message import Message
from app.core import errors
from app.core.errors import GatewayError
from app.core.event import (
    CitedText,
    FinishReason,
    ImageAdded,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    TextDelta,
)
from app.core.usage import TokenEstimate, Usage, estimate_tokens
from app.core.wait import Wait
from app.formats.format import ReplyHead
from app.formats.json_text import encode_text
from app.formats.openai_chat.encoder import HEARTBEAT, ChunkEncoder, CompletionFolder, build_usage
from app.formats.openai_error import build_error, encode_error, encode_error_event, find_type
from tests.app.upstream.scripted import Play, ScriptedServer, answer

HEAD = ReplyHead("65f6c28546bae1f0fbb532de", "glm", 1_790_000_000)
OPENING = (
    'data: {"id":"65f6c28546bae1f0fbb532de","object":"chat.completion.chunk","created":1790000000,'
    '"model":"glm","choices":[{"index":0,"delta":'
)
TAIL = ',"finish_reason":null}]}\n\n'


def make_usage(prompt: str = "") -> Usage:
    estimate = TokenEstimate()
    estimate.add(prompt)
    return Usage(estimate)


def make_encoder(*, include_usage: bool = False, prompt: str = "") -> ChunkEncoder:
    return ChunkEncoder(HEAD, make_usage(prompt), include_usage=include_usage)


def test_the_first_chunk() -> None:
    expected = OPENING + '{"role":"assistant","content":""}' + TAIL
    assert make_encoder().start().decode() == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([TextDelta("你好")], OPENING + '{"content":"你好"}' + TAIL),
        ([ReasoningDelta("hm")], OPENING + '{"reasoning_content":"hm"}' + TAIL),
        ([TextDelta('"\\\n\t\x00')], OPENING + r'{"content":"\"\\\n\t\u0000"}' + TAIL),
        ([TextDelta("a\u2028b\u2029c\u0085d")], OPENING + r'{"content":"a\u2028b\u2029c\u0085d"}' + TAIL),
        ([TextDelta("%b {} %s")], OPENING + '{"content":"%b {} %s"}' + TAIL),
        (
            [TextDelta("a"), TextDelta("b")],
            OPENING + '{"content":"a"}' + TAIL + OPENING + '{"content":"b"}' + TAIL,
        ),
        ([ReplyStarted("c")], ""),
        ([], ""),
    ],
)
def test_deltas(events: list[ReplyEvent], expected: str) -> None:
    assert make_encoder().encode(events).decode() == expected


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        (Wait("search"), '{"kind":"search"}'),
        (Wait("queue", 2), '{"kind":"queue","number":2}'),
        (Wait("upload", 2, 3), '{"kind":"upload","number":2,"count":3}'),
    ],
)
def test_what_is_waited_for(wait: Wait, told: str) -> None:
    usage = make_usage()
    encoder = ChunkEncoder(HEAD, usage, include_usage=False)
    chunk = encoder.encode_wait(wait, "等\n").decode()
    assert chunk == OPENING + r'{"reasoning_content":"等\n","progress":' + told + "}" + TAIL
    assert usage.completion_tokens == 0


@pytest.mark.parametrize("reason", ["stop", "content_filter", "length"])
def test_the_end(reason: FinishReason) -> None:
    expected = OPENING + '{},"finish_reason":"' + reason + '"}]}\n\ndata: [DONE]\n\n'
    assert make_encoder().encode([ReplyFinished(reason)]).decode() == expected


def test_citations_are_noted_at_the_end() -> None:
    encoder = make_encoder()
    said: list[ReplyEvent] = [TextDelta("😀见"), CitedText("[1](http://a.b)", "http://a.b", "甲\u2028")]
    stream = encoder.encode([*said, ReplyFinished("stop")]).decode()
    assert stream == (
        OPENING
        + '{"content":"😀见"}'
        + TAIL
        + OPENING
        + '{"content":"[1](http://a.b)"}'
        + TAIL
        + OPENING
        + '{"annotations":[{"type":"url_citation","url_citation":{"url":"http://a.b","title":"甲\\u2028",'
        '"start_index":2,"end_index":17}}]},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    )


def test_the_end_with_usage() -> None:
    encoder = make_encoder(include_usage=True, prompt="hello world, how are you")
    stream = encoder.start() + encoder.encode([TextDelta("今天天气怎么样"), ReplyFinished("stop")])
    *chunks, finish, usage, done, rest = stream.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    assert all(chunk.endswith(',"usage":null}') for chunk in (*chunks, finish))
    assert usage == (
        OPENING.partition('"choices"')[0] + '"choices":[],'
        '"usage":{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10,'
        '"completion_tokens_details":{"reasoning_tokens":0}}}'
    )


def test_the_whole_answer() -> None:
    folder = CompletionFolder(HEAD, make_usage("hello world, how are you"))
    folder.add([ReplyStarted("c"), TextDelta("你"), TextDelta("好")])
    folder.add([ReplyFinished("content_filter")])
    assert folder.encode().decode() == (
        '{"id":"65f6c28546bae1f0fbb532de","object":"chat.completion","created":1790000000,"model":"glm",'
        '"choices":[{"index":0,"message":{"role":"assistant","content":"你好","refusal":null,"annotations":[]},'
        '"logprobs":null,"finish_reason":"content_filter"}],'
        '"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,'
        '"completion_tokens_details":{"reasoning_tokens":0}}}'
    )


texts = st.text(
    alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from('\u2028\u0085😀"\\%')),
    min_size=1,
    max_size=9,
)
deltas = st.one_of(
    st.builds(TextDelta, texts),
    st.builds(ReasoningDelta, texts),
    st.builds(CitedText, texts, texts, texts),
    st.builds(ImageAdded, texts, texts),
)
ends = st.builds(ReplyFinished, st.sampled_from(["stop", "content_filter"]))


def read_stream(stream: bytes) -> list[ChatCompletionChunk]:
    """As the official client cuts and reads it."""
    events = [event.data for event in SSEDecoder().iter_bytes(iter([stream]))]
    assert events.pop() == "[DONE]"
    return [ChatCompletionChunk.model_validate(json.loads(event), strict=True) for event in events]


def join(pieces: Iterable[str | None]) -> str:
    return "".join(piece or "" for piece in pieces)


@given(st.lists(deltas, max_size=6), ends, texts, st.booleans())
def test_the_fold_equals_the_stream(
    said: list[TextDelta | ReasoningDelta | CitedText | ImageAdded],
    end: ReplyFinished,
    model: str,
    include_usage: bool,
) -> None:
    head = ReplyHead("x", model, 1)
    encoder = ChunkEncoder(head, make_usage(), include_usage=include_usage)
    chunks = read_stream(encoder.start() + encoder.encode(said) + encoder.encode([end]))
    folder = CompletionFolder(head, make_usage())
    folder.add([*said, end])
    whole = ChatCompletion.model_validate(json.loads(folder.encode()), strict=True)
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    message = whole.choices[0].message
    assert join(choice.delta.content for choice in choices) == message.content
    reasoning = join((choice.delta.model_extra or {}).get("reasoning_content") for choice in choices)
    assert reasoning == (message.model_extra or {}).get("reasoning_content", "")
    annotations = (choices[-1].delta.model_extra or {}).get("annotations", [])
    noted = [note.model_dump() for note in message.annotations or []]
    assert noted == annotations
    assert [
        message.content[note["url_citation"]["start_index"] : note["url_citation"]["end_index"]]
        for note in noted
    ] == [event.text for event in said if isinstance(event, CitedText)]
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == [end.reason]
    assert {(chunk.id, chunk.model) for chunk in chunks} == {(whole.id, whole.model)}
    if include_usage:
        assert whole.usage is not None
        assert chunks[-1].usage == whole.usage


@given(texts)
def test_no_splitter_cuts_a_text(text: str) -> None:
    encoded = encode_text(text)
    assert len(encoded.decode().splitlines()) == 1
    assert json.loads(encoded) == text


def test_a_heartbeat_is_no_event() -> None:
    events = SSEDecoder().iter_bytes(iter([HEARTBEAT, HEARTBEAT, b"data: x\n\n"]))
    assert next(events).data == "x"


@given(st.lists(st.text(max_size=20), max_size=10))
def test_usage_does_not_depend_on_the_cutting(pieces: list[str]) -> None:
    estimate = TokenEstimate()
    for piece in pieces:
        estimate.add(piece)
    assert estimate.tokens == estimate_tokens("".join(pieces))
    assert estimate.tokens >= (1 if any(pieces) else 0)


def test_usage_counts_thinking_too() -> None:
    usage = make_usage("hi")
    usage.text.add("word " * 100)
    usage.reasoning.add("想" * 100)
    built = build_usage(usage)
    details = built["completion_tokens_details"]
    assert details == {"reasoning_tokens": 68}
    assert built["completion_tokens"] == usage.text.tokens + 68
    assert built["total_tokens"] == 1 + usage.text.tokens + 68


@pytest.mark.parametrize("text", ["\ud83d" * 10, "😀" * 100, "é" * 100, "a" * 1_000_000])
def test_any_text_can_be_counted(text: str) -> None:
    assert 0 < estimate_tokens(text) <= len(text)


ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GatewayError)]


@contextmanager
def official_client(reply: Play) -> Iterator[OpenAI]:
    with (
        ScriptedServer([reply]) as server,
        OpenAI(api_key="x", base_url=server.url, max_retries=0) as client,
    ):
        yield client


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_the_official_client_raises_every_error(kind: type[GatewayError]) -> None:
    body = encode_error(kind('say "what"\n', param="here"))
    reply = answer(body, status=b"%d Oh" % kind.status)
    with official_client(reply) as client, pytest.raises(APIError) as raised:
        client.chat.completions.create(model="glm", messages=[])
    assert (raised.value.code, raised.value.type, raised.value.param) == (
        kind.code,
        find_type(kind.status),
        "here",
    )


def test_the_official_client_raises_an_error_event() -> None:
    encoder, error = make_encoder(), errors.CutAnswer("cut off")
    stream = encoder.start() + encoder.encode([TextDelta("a")]) + encode_error_event(error)
    with official_client(answer(stream, kind=b"text/event-stream")) as client:
        chunks = client.chat.completions.create(model="glm", messages=[], stream=True)
        assert [next(chunks).choices[0].delta.content for _ in range(2)] == ["", "a"]
        with pytest.raises(APIError, match="cut off") as raised:
            next(chunks)
    assert raised.value.code == "answer_cut"


def test_an_error_without_a_parameter_says_null() -> None:
    assert encode_error_event(errors.UpstreamBusy(Message("行", "忙"))).decode() == (
        'data: {"error":{"message":"行 忙","type":"api_error","param":null,"code":"upstream_busy"}}\n\n'
    )
    assert set(build_error(errors.UpstreamBusy(""))) == {"error"}


def test_an_error_event_says_when_to_ask_again_as_it_has_no_headers() -> None:
    error = errors.AccountsBusy(Message("Busy.", "忙。"), retry_after_seconds=4.2)
    event = json.loads(encode_error_event(error).decode().removeprefix("data: "))
    assert event["error"]["retry_after"] == 5
    assert "retry_after" not in build_error(error)["error"]
