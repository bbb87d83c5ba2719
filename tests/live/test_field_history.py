"""Histories that began at another provider, or that hold what was drawn: on a socket, streamed and whole."""

from __future__ import annotations

import base64
import json

import pytest

from demo.gateway import GatewayProcess
from tests.live.posting import BOTH, ask, post, prompt_of
from upstream_emulator.emulator import UpstreamEmulator

WEATHER = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "北京"}}}


@BOTH
@pytest.mark.parametrize(
    "content", [{"temp": 21}, 21, [{"temp": 21}], "21", [{"type": "text", "text": "21"}]]
)
@pytest.mark.parametrize("arguments", [{"city": "北京"}, '{"city": "北京"}', None])
def test_calls_of_another_provider_in_the_history(
    gateway: GatewayProcess,
    upstream: UpstreamEmulator,
    account: str,
    arguments: object,
    content: object,
    *,
    stream: bool,
) -> None:
    call = WEATHER | {"function": {"name": "get_weather", "arguments": arguments}}
    messages = [
        {"role": "user", "content": "天气?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": content},
        {"role": "assistant", "content": "21 度", "tool_calls": []},
        {"role": "user", "content": "那明天呢?"},
    ]
    assert ask(gateway, account, stream=stream, messages=messages).text
    prompt = prompt_of(upstream)
    assert "get_weather" in prompt
    assert ("北京" in prompt) == (arguments is not None)
    assert "21" in prompt.partition("[Tool result]")[2].partition("[Assistant]")[0]


@BOTH
def test_parts_of_another_provider_in_the_history(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, *, stream: bool
) -> None:
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "video_url", "video_url": {"url": "https://x.example/1.mp4"}},
                {"type": "hologram", "id": 5},
                {"type": "document", "title": "plan.pdf", "source": {"type": "base64", "data": "AAAA"}},
            ],
        },
        {
            "role": "assistant",
            "reasoning_content": "secret one",
            "content": [
                {"type": "thinking", "thinking": "secret two", "signature": "x"},
                {"type": "redacted_thinking", "data": "secret three"},
                {"type": "text", "text": "A song."},
                {"type": "tool_use", "id": "t", "name": "look_up", "input": {"q": "song"}},
            ],
        },
        {"role": "user", "content": [{"type": "text", "text": "Whose?"}]},
    ]
    assert ask(gateway, account, stream=stream, messages=messages).text
    prompt = prompt_of(upstream)
    assert "secret" not in prompt
    for said in (
        "What is this?",
        "[sound]",
        "[video]",
        "[hologram]",
        "[file plan.pdf]",
        "A song.",
        "look_up",
        "Whose?",
    ):
        assert said in prompt
    answer = post(gateway, account, json.dumps({"messages": messages[:1]}).encode())
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages.0.content.1.input_audio")


@BOTH
@pytest.mark.parametrize("role", ["assistant", "user"])
@pytest.mark.parametrize("size", [3_000, 300_000, 5_000_000, 12_000_000])
def test_a_picture_written_out_in_the_history(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, size: int, role: str, *, stream: bool
) -> None:
    picture = base64.b64encode(bytes(range(256)) * (size // 256)).decode()
    messages = [
        {"role": "user", "content": "画一只猫"},
        {"role": role, "content": f"好的 ![猫](data:image/png;base64,{picture}) 😀"},
        {"role": "user", "content": "再大一点"},
    ]
    heard = ask(gateway, account, stream=stream, messages=messages)
    assert heard.text
    assert heard.prompt_tokens < 500
    prompt = prompt_of(upstream)
    assert "base64," not in prompt
    assert len(prompt) < 2000
    assert "再大一点" in prompt
