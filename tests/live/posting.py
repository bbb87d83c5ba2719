"""Bodies of a test's own posted to the gateway, answers by their parts, and what the upstream was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from demo.gateway import GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator

BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
HELLO = [{"role": "user", "content": "hello"}]


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
