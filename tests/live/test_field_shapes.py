"""Request shapes as clients of other providers send them, on a real socket, streamed and whole.

What is right for each stands beside it: taken as if it were not there, understood, or refused with its place.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.live.posting import BOTH, HELLO, Heard, ask, last_question, mode_of, post
from upstream_emulator.emulator import UpstreamEmulator


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
