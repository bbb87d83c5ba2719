"""Answers as the official client hears them, streamed and whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from openai import NotFoundError, OpenAI

from demo.gateway import GatewayProcess
from tests.live.asking import ask, ask_messages
from upstream_emulator.emulator import UpstreamEmulator

BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
STYLES = ("style=snapshot", "style=snapshot flag=0", "style=delta", "style=delta flag=0", "style=mixed")


@BOTH
def test_a_plain_answer(client: OpenAI, upstream: UpstreamEmulator, *, stream: bool) -> None:
    heard = ask(client, "你叫什么？", stream=stream, model="glm4")
    assert "你叫什么？" in heard.text
    assert heard.finish == "stop"
    assert heard.models == {"glm4"}
    assert heard.ids == {upstream.state()["conversations"][0]["id"]}
    assert heard.pieces > 5 or not stream


@BOTH
def test_thinking_stands_apart(client: OpenAI, *, stream: bool) -> None:
    heard = ask(client, "三加四？", stream=stream, model="glm-think")
    assert heard.reasoning
    assert heard.reasoning not in heard.text
    assert heard.finish == "stop"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("scenario", ["text", "think", "search", "repeat", "alternate", "utf8split"])
def test_every_style_gives_the_same_answer(client: OpenAI, scenario: str, style: str) -> None:
    reference = ask(client, f"[[{scenario} style=snapshot]]", stream=False)
    for stream in (True, False):
        heard = ask(client, f"[[{scenario} {style}]]", stream=stream)
        assert (heard.text, heard.reasoning, heard.finish) == (reference.text, reference.reasoning, "stop")


@pytest.mark.parametrize("style", ["style=snapshot", "style=snapshot flag=0", "style=delta", "style=mixed"])
def test_parts_that_take_turns(client: OpenAI, style: str) -> None:
    """Deltas that do not say so are left out: nobody has seen them take turns, and their order is a guess."""
    for stream in (True, False):
        heard = ask(client, f"[[alternate interleave=1 {style}]]", stream=stream)
        pieces = "左一，\n\n右一，\n\n左二，\n\n右二，\n\n左三。\n\n右三。"
        assert (heard.text, heard.finish) == (pieces, "stop")


@BOTH
def test_searching(client: OpenAI, upstream: UpstreamEmulator, *, stream: bool) -> None:
    heard = ask(client, "天气？", stream=stream, model="glm-search")
    assert last_question(upstream)["meta_data"]["is_networking"] is True
    assert "天气？" in heard.text
    assert heard.finish == "stop"


@BOTH
@pytest.mark.parametrize(
    "oddity",
    [
        "bytes",
        "crlf",
        "crlf end=cr",
        "comments",
        "bom",
        "unknown",
        "part-error",
        "duplicate",
        "no-part-finish",
        "finish-without-parts",
        "final-differs",
        "late",
        "slowstart",
        "slowstart head=200",
        "bigline size=300000",
    ],
)
def test_odd_streams_are_good_answers(client: OpenAI, oddity: str, *, stream: bool) -> None:
    heard = ask(client, f"[[{oddity}]]", stream=stream)
    assert heard.text
    assert "\ufffd" not in heard.text
    assert heard.finish == "stop"


@BOTH
def test_a_big_line_arrives_whole(gateway: GatewayProcess, account: str, *, stream: bool) -> None:
    body = {"messages": [{"role": "user", "content": "[[bigline size=2000000]]"}], "stream": stream}
    answer = _post(gateway, account, body)
    assert len(answer.content) > 2_000_000
    assert b'"finish_reason":"stop"' in answer.content


@BOTH
@pytest.mark.parametrize("where", ["", " at=0", " part=1"])
def test_the_content_filter_says_its_words(client: OpenAI, where: str, *, stream: bool) -> None:
    heard = ask(client, f"[[filter{where}]]", stream=stream)
    assert heard.finish == "content_filter"
    assert "抱歉" in heard.text


@BOTH
def test_a_conversation_goes_on(client: OpenAI, upstream: UpstreamEmulator, *, stream: bool) -> None:
    first = ask(client, "一", stream=stream)
    (conversation_id,) = first.ids
    second = ask(client, "二", stream=stream, extra_body={"conversation_id": conversation_id})
    assert second.ids == first.ids
    assert "第 2 轮" in second.text
    sent = last_question(upstream)
    assert sent["messages"] == [{"role": "user", "content": [{"type": "text", "text": "二"}]}]


@pytest.mark.parametrize("named", ["", None, "none"])
def test_no_conversation_id_begins_a_new_one(client: OpenAI, named: str | None) -> None:
    heard = ask(client, "你好", stream=False, extra_body={"conversation_id": named})
    assert "第 1 轮" in heard.text


@BOTH
def test_an_unknown_conversation_is_not_found(client: OpenAI, *, stream: bool) -> None:
    with pytest.raises(NotFoundError) as raised:
        ask(client, "你好", stream=stream, extra_body={"conversation_id": "65f6c28546bae1f0fbb532de"})
    assert raised.value.code == "conversation_not_found"


def test_a_history_is_merged(client: OpenAI, upstream: UpstreamEmulator) -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "![x](https://pictures.example/1.png)kept"},
        {"role": "user", "content": "second"},
    ]
    ask_messages(client, messages, stream=False)
    text = last_question(upstream)["messages"][0]["content"][0]["text"]
    assert text.index("Be kind.") < text.index("first") < text.index("kept") < text.index("second")
    assert "pictures.example" not in text


def test_the_model_chooses_the_mode(client: OpenAI, upstream: UpstreamEmulator) -> None:
    expected: dict[str, dict[str, Any]] = {
        "glm-think": {"chat_mode": "thinking", "reasoning_effort": "high", "is_networking": False},
        "glm-search": {"chat_mode": "", "is_networking": True},
        "glm-deepresearch": {"chat_mode": "deep_research"},
        "glm-5.3-flash": {"selected_model": "glm-5.3-flash"},
    }
    for model, meta in expected.items():
        ask(client, "[[text]]", stream=False, model=model)
        assert last_question(upstream)["meta_data"].items() >= meta.items()
    ask(client, "[[text]]", stream=False, model="65c046a531d3fcb034918abe")
    assert last_question(upstream)["assistant_id"] == "65c046a531d3fcb034918abe"


def test_usage_comes_only_when_asked_for(client: OpenAI) -> None:
    without = ask(client, "你好", stream=True)
    assert without.usage is None
    asked = ask(client, "你好", stream=True, stream_options={"include_usage": True})
    assert asked.usage.completion_tokens > 5
    assert asked.usage.total_tokens == asked.usage.prompt_tokens + asked.usage.completion_tokens
    whole = ask(client, "你好", stream=False)
    assert abs(whole.usage.completion_tokens - asked.usage.completion_tokens) <= 1


def test_the_bytes_of_a_stream(gateway: GatewayProcess, account: str) -> None:
    """What no client library shows: order, headers, and the fields that confuse decoders."""
    answer = _post(gateway, account, {"messages": [{"role": "user", "content": "[[text]]"}], "stream": True})
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache, no-transform"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert len(answer.headers["X-Request-Id"]) == 32
    lines = answer.content.split(b"\n")
    assert not [line for line in lines if line.startswith((b"id:", b"retry:", b"event:"))]
    events = [line[6:] for line in lines if line.startswith(b"data: ")]
    assert events[-1] == b"[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-1]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in chunks[:-1])
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}


def last_question(upstream: UpstreamEmulator) -> Any:
    """The body of the last chat call: deletions may have followed it."""
    asked = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("/assistant/stream")]
    return asked[-1]


def _post(gateway: GatewayProcess, account: str, body: dict[str, Any]) -> requests.Response:
    headers = {"Authorization": f"Bearer {account}"}
    return requests.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=30)
