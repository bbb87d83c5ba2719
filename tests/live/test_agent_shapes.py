"""Requests of the shape that agents send, with texts of our own: all of it is read, and answered.

Those with a version are what that agent sent to a server of ours, its texts replaced; the others are
written from the public source of agents that need an editor or a desktop. Claude Code's questions for a title
and for a search of tools are written after what was seen of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.live.asking_responses import prompts
from tests.message_reader import MessageReader
from upstream_emulator.emulator import UpstreamEmulator

SHAPES = {
    path.stem: json.loads(path.read_text()) for path in Path(__file__).parent.glob("agent_shapes/*.json")
}
STEPS = sorted(name for name, shape in SHAPES.items() if shape["calls"])


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent takes out of an answer, in any format."""

    text: str
    calls: list[tuple[str, Any]]
    """Names, and arguments as objects."""
    end: str


def read_chat(answer: bytes, *, stream: bool) -> Answer:
    if stream:
        *events, done = [line[6:] for line in answer.decode().split("\n\n") if line.startswith("data: ")]
        assert done == "[DONE]"
        choices = [choice for event in events for choice in json.loads(event)["choices"]]
        said, end = [choice["delta"] for choice in choices], choices[-1]["finish_reason"]
    else:
        (choice,) = json.loads(answer)["choices"]
        said, end = [choice["message"]], choice["finish_reason"]
    called = [call for part in said for call in part.get("tool_calls", [])]
    assert all(call["id"] and call["type"] == "function" for call in called)
    calls = [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in called]
    return Answer("".join(part.get("content") or "" for part in said), calls, end)


def read_response(answer: bytes, *, stream: bool) -> Answer:
    if stream:
        events = [event for event in answer.decode().split("\n\n") if event and not event.startswith(":")]
        response = json.loads(events[-1].partition("data: ")[2])["response"]
    else:
        response = json.loads(answer)
    items = response["output"]
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    called = [item for item in items if item["type"] == "function_call"]
    assert all(call["call_id"] and call["id"] for call in called)
    calls = [(call["name"], json.loads(call["arguments"])) for call in called]
    return Answer("".join(part["text"] for part in parts), calls, response["status"])


def read_message(answer: bytes, *, stream: bool) -> Answer:
    message = MessageReader().read(answer).message if stream else json.loads(answer)
    blocks = message["content"]
    calls = [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    return Answer("".join(texts), calls, message["stop_reason"])


READERS: dict[str, Callable[..., Answer]] = {
    "/v1/chat/completions": read_chat,
    "/v1/responses": read_response,
    "/v1/messages": read_message,
}
CALLED = {"/v1/chat/completions": "tool_calls", "/v1/responses": "completed", "/v1/messages": "tool_use"}
SAID = {"/v1/chat/completions": "stop", "/v1/responses": "completed", "/v1/messages": "end_turn"}


def ask(gateway: GatewayProcess, account: str, shape: dict[str, Any], path: str) -> Answer:
    plain = path == "/v1/messages"
    credentials = {"x-api-key": account} if plain else {"Authorization": f"Bearer {account}"}
    headers = shape["headers"] | credentials
    answer = requests.post(gateway.url + shape["path"], json=shape["body"], headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    return READERS[path](answer.content, stream=shape["body"].get("stream", False))


def check_order(prompt: str, words: list[str]) -> None:
    places = [prompt.rfind(word) for word in words]
    assert -1 not in places, words[places.index(-1)]
    assert places == sorted(places)


@pytest.mark.parametrize("name", STEPS)
def test_the_work_so_far_is_read_and_the_next_call_comes_as_its_format_has_it(
    gateway: GatewayProcess, account: str, upstream: UpstreamEmulator, name: str
) -> None:
    shape = SHAPES[name]
    path, call = shape["path"].partition("?")[0], shape["calls"]
    args = quote(json.dumps(call["arguments"]))
    upstream.account(account.removeprefix("demo-"), next=[f"agent again=1 name={call['name']} args={args}"])
    answer = ask(gateway, account, shape, path)
    assert answer == Answer("", [(call["name"], call["arguments"])], CALLED[path])
    (prompt,) = prompts(upstream)
    results = [f"Result {number} of the work." for number in range(1, shape["results"] + 1)]
    check_order(prompt, ["The rules of the agent.", *results])
    assert "The wish of the user." in prompt


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_words_come_as_its_format_has_them(
    gateway: GatewayProcess, account: str, upstream: UpstreamEmulator, name: str
) -> None:
    shape = SHAPES[name]
    path = shape["path"].partition("?")[0]
    said = '{"title": "All is done."}'
    upstream.account(account.removeprefix("demo-"), next=[f"text say={quote(said)}"])
    answer = ask(gateway, account, shape, path)
    assert (answer.calls, answer.end) == ([], SAID[path])
    assert json.loads(answer.text) == json.loads(said)
    (prompt,) = prompts(upstream)
    assert "The wish of the user." in prompt
    assert "x-anthropic-billing-header" not in prompt
