"""The chat requests that users of such gateways know by heart, as they are published, streamed and whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from demo.gateway import GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator

# With the assistant id of the published example the upstream answers as with any other model.
PLAIN = {"model": "glm4", "messages": [{"role": "user", "content": "你叫什么？"}], "stream": False}
REQUESTS: dict[str, dict[str, Any]] = {
    "chat": PLAIN,
    "an assistant": PLAIN | {"model": "65c046a531d3fcb034918abe"},
    "no stream field": {key: value for key, value in PLAIN.items() if key != "stream"},
    "conversation none": PLAIN | {"conversation_id": "none"},
}


def post(gateway: GatewayProcess, account: str, body: dict[str, Any]) -> requests.Response:
    headers = {"Authorization": f"Bearer {account}"}
    return requests.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=30)


@pytest.mark.parametrize("name", REQUESTS)
def test_whole(gateway: GatewayProcess, account: str, upstream: UpstreamEmulator, name: str) -> None:
    body = REQUESTS[name]
    answer = post(gateway, account, body)
    completion = ChatCompletion.model_validate(answer.json(), strict=True)
    check_head(completion, body, upstream)
    (choice,) = completion.choices
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert choice.message.content
    usage = completion.usage
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert (usage.prompt_tokens, usage.completion_tokens) != (1, 1)


@pytest.mark.parametrize("name", REQUESTS)
def test_streamed(gateway: GatewayProcess, account: str, upstream: UpstreamEmulator, name: str) -> None:
    body = REQUESTS[name] | {"stream": True}
    lines = post(gateway, account, body).content.decode().split("\n\n")
    events = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert events.pop() == "[DONE]"
    chunks = [ChatCompletionChunk.model_validate(json.loads(event), strict=True) for event in events]
    for chunk in chunks:
        check_head(chunk, body, upstream)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    whole = post(gateway, account, REQUESTS[name]).json()
    assert text == whole["choices"][0]["message"]["content"]


def test_a_native_conversation(gateway: GatewayProcess, account: str) -> None:
    first = post(gateway, account, PLAIN).json()
    second = post(gateway, account, PLAIN | {"conversation_id": first["id"]}).json()
    assert second["id"] == first["id"]
    assert "第 2 轮" in second["choices"][0]["message"]["content"]


def test_the_check_of_a_token(gateway: GatewayProcess, account: str) -> None:
    for token, live in ((account, True), ("eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9...", False)):
        answer = requests.post(f"{gateway.url}/token/check", json={"token": token}, timeout=30)
        assert answer.json() == {"live": live}


def check_head(
    said: ChatCompletion | ChatCompletionChunk, body: dict[str, Any], upstream: UpstreamEmulator
) -> None:
    """A real id and time, and the model that was asked for."""
    assert said.id in {conversation["id"] for conversation in upstream.state()["conversations"]}
    assert said.created > 1_700_000_000
    assert said.model == body["model"]
