"""Request shapes as clients of other providers send them, on a real socket, streamed and whole.

What is right for each stands beside it: taken as if it were not there, understood, or refused with its place.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from demo.gateway import GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator

BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
HELLO = [{"role": "user", "content": "hello"}]
WEATHER = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "北京"}}}


class Heard:
    """An answer by its parts, however it came."""

    def __init__(self, answer: requests.Response, *, stream: bool) -> None:
        assert answer.status_code == 200, answer.text
        self.prompt_tokens = 0
        if not stream:
            self.prompt_tokens = answer.json()["usage"]["prompt_tokens"]
            (choice,) = answer.json()["choices"]
            self.text: str = choice["message"]["content"]
            self.reasoning: str = choice["message"].get("reasoning_content", "")
            self.finish = choice["finish_reason"]
            return
        *events, done = [
            line[6:] for line in answer.content.decode().split("\n\n") if line.startswith("data: ")
        ]
        assert done == "[DONE]"
        choices = [choice for event in events for choice in json.loads(event)["choices"]]
        self.text = "".join(choice["delta"].get("content") or "" for choice in choices)
        self.reasoning = "".join(choice["delta"].get("reasoning_content") or "" for choice in choices)
        self.finish = choices[-1]["finish_reason"]


def post(gateway: GatewayProcess, account: str, body: bytes) -> requests.Response:
    headers = {"Authorization": f"Bearer {account}", "Content-Type": "application/json"}
    return requests.post(f"{gateway.url}/v1/chat/completions", body, headers=headers, timeout=20)


def ask(gateway: GatewayProcess, account: str, *, stream: bool, **fields: Any) -> Heard:
    body = {"model": "glm", "stream": stream, "messages": HELLO} | fields
    return Heard(post(gateway, account, json.dumps(body).encode()), stream=stream)


def last_question(upstream: UpstreamEmulator) -> dict[str, Any]:
    asked = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("/assistant/stream")]
    question: dict[str, Any] = asked[-1]
    return question


def prompt_of(upstream: UpstreamEmulator) -> str:
    text: str = last_question(upstream)["messages"][0]["content"][0]["text"]
    return text


def mode_of(upstream: UpstreamEmulator) -> str:
    return str(last_question(upstream)["meta_data"].get("chat_mode"))


@BOTH
@pytest.mark.parametrize("stop", [[], None])
def test_no_words_to_stop_at(gateway: GatewayProcess, account: str, stop: object, *, stream: bool) -> None:
    plain = ask(gateway, account, stream=stream)
    heard = ask(gateway, account, stream=stream, stop=stop)
    assert (heard.text, heard.finish) == (plain.text, "stop")
    (cut, _, _) = plain.text.partition(plain.text[3:6])
    assert ask(gateway, account, stream=stream, stop=[plain.text[3:6]]).text == cut


@pytest.mark.parametrize("stop", ["", [""], list("abcde")])
def test_words_to_stop_at_that_make_no_sense(gateway: GatewayProcess, account: str, stop: object) -> None:
    answer = post(gateway, account, json.dumps({"messages": HELLO, "stop": stop}).encode())
    assert (answer.status_code, answer.json()["error"]["param"].split(".")[0]) == (400, "stop")


@BOTH
@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({"reasoning": {"effort": "medium"}}, "thinking"),
        ({"reasoning": {"effort": "high"}}, "thinking"),
        ({"reasoning": {"effort": "xhigh"}}, "deep_thinking"),
        ({"reasoning": {"enabled": False}, "model": "glm-think"}, ""),
        ({"reasoning": {"effort": "none"}, "model": "glm-think"}, ""),
        ({"reasoning": {"exclude": True}}, ""),
        ({"reasoning": {}}, ""),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "none"}, ""),
        ({"reasoning": {"max_tokens": 1000}}, "thinking"),
        ({"thinking": {"type": "enabled"}}, "thinking"),
        ({"thinking": {"type": "disabled"}, "model": "glm-think"}, ""),
        ({"thinking": {"type": "disabled"}, "reasoning_effort": "low"}, "thinking"),
        ({"chat_template_kwargs": {"enable_thinking": False}, "model": "glm-think"}, ""),
        ({"chat_template_kwargs": {"enable_thinking": True}}, "thinking"),
        ({"enable_thinking": False, "model": "glm-think"}, ""),
        ({"enable_thinking": True}, "thinking"),
        ({"reasoning_effort": "minimal", "model": "glm-think"}, ""),
        ({"reasoning_effort": "high"}, "thinking"),
        ({"reasoning_effort": "max"}, "deep_thinking"),
    ],
)
def test_switches_of_thinking(
    gateway: GatewayProcess,
    upstream: UpstreamEmulator,
    account: str,
    fields: dict[str, Any],
    mode: str,
    *,
    stream: bool,
) -> None:
    heard = ask(gateway, account, stream=stream, **fields)
    assert heard.text
    assert mode_of(upstream) == mode
    assert bool(heard.reasoning) == (mode != "")


@BOTH
@pytest.mark.parametrize(
    "fields",
    [{"reasoning": {"exclude": True, "effort": "high"}}, {"include_reasoning": False, "think": True}],
)
def test_thinking_that_is_not_to_be_seen(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, fields: dict[str, Any], *, stream: bool
) -> None:
    heard = ask(gateway, account, stream=stream, **fields)
    assert (mode_of(upstream), heard.reasoning) == ("thinking", "")
    assert heard.text


def test_a_word_for_reasoning_that_nobody_knows(gateway: GatewayProcess, account: str) -> None:
    for word in ("tags", "hidden", "content"):
        assert (
            post(gateway, account, json.dumps({"messages": HELLO, "reasoning": word}).encode()).status_code
            == 200
        )
    answer = post(gateway, account, json.dumps({"messages": HELLO, "reasoning": "loud"}).encode())
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "reasoning")


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
@pytest.mark.parametrize(
    "fields",
    [
        {"logit_bias": [], "metadata": [], "stream_options": [], "response_format": [], "tool_choice": []},
        {"tools": [], "functions": [], "modalities": [], "chat_template_kwargs": [], "thinking": []},
        {"max_tokens": "500", "temperature": "0.7", "n": "1", "model": None},
        {"from_the_future": {"a": [1]}, "top_k": 5, "repetition_penalty": 1.1, "min_p": 0, "extra_body": {}},
    ],
)
def test_what_is_harmless_changes_nothing(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, fields: dict[str, Any], *, stream: bool
) -> None:
    plain = ask(gateway, account, stream=stream)
    asked = last_question(upstream)["meta_data"]
    assert ask(gateway, account, stream=stream, **fields).text == plain.text
    assert last_question(upstream)["meta_data"] == asked


@BOTH
def test_an_empty_object_that_means_something(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, *, stream: bool
) -> None:
    ask(gateway, account, stream=stream, web_search_options=[])
    assert last_question(upstream)["meta_data"]["is_networking"] is True


@BOTH
def test_a_byte_order_mark(gateway: GatewayProcess, account: str, *, stream: bool) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"stream": stream, "messages": HELLO}).encode()
    assert Heard(post(gateway, account, body), stream=stream).text


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


@pytest.mark.parametrize(
    ("fields", "ratio"),
    [
        *[
            ({"size": size}, "1:1")
            for size in ("1024*1024", "1024×1024", "1024 x 1024", "1024X1024", "", None)
        ],
        ({"size": "1792*1024"}, "16:9"),
        ({"size": "16:9"}, "16:9"),
        ({"quality": "", "response_format": "", "style": "", "user": ""}, "1:1"),
        ({"n": "1"}, "1:1"),
    ],
)
def test_sizes_and_blanks_of_other_drawing_interfaces(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, fields: dict[str, Any], ratio: str
) -> None:
    headers = {"Authorization": f"Bearer {account}"}
    body = {"model": "cogview-3", "prompt": "一只猫"} | fields
    answer = requests.post(f"{gateway.url}/v1/images/generations", json=body, headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    assert ratio in json.dumps(last_question(upstream)["meta_data"])


@pytest.mark.parametrize("size", ["big", "0x0", "1024"])
def test_no_size_at_all(gateway: GatewayProcess, account: str, size: str) -> None:
    headers = {"Authorization": f"Bearer {account}"}
    body = {"prompt": "一只猫", "size": size}
    answer = requests.post(f"{gateway.url}/v1/images/generations", json=body, headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "size")
