"""Anthropic Messages over real sockets: every form of a call, streamed and whole, is the same message."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.live.situation import AFTER, BEFORE, Situation
from tests.live.test_tools import ARGS, ARGUMENTS, FORMS
from tests.message_reader import MessageReader, forget_ids
from upstream_emulator.emulator import UpstreamEmulator

READ: Any = {
    "name": "read_file",
    "description": "Read a file.",
    "input_schema": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
        "required": ["path"],
    },
}
SEARCH: Any = {"type": "web_search_20250305", "name": "web_search"}
STYLES = ["style=delta", "style=snapshot dialect=2026 flag=1", "style=delta flag=0"]


class Asking:
    """A client that knows no library."""

    def __init__(self, gateway: GatewayProcess, account: str) -> None:
        self._url = f"{gateway.url}/v1/messages?beta=true"
        self._headers = {
            "x-api-key": account,
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "any-2099",
        }

    def post(self, messages: Any, **fields: Any) -> requests.Response:
        body = {"model": "glm", "max_tokens": 32_000, "messages": messages, **fields}
        return requests.post(self._url, json=body, headers=self._headers, timeout=20)

    def stream(self, messages: Any, **fields: Any) -> MessageReader:
        answer = self.post(messages, stream=True, **fields)
        assert answer.headers["Content-Type"].startswith("text/event-stream"), answer.text
        return MessageReader().read(answer.content)

    def both(self, messages: Any, **fields: Any) -> dict[str, Any]:
        """Streamed, then whole: they must say the same."""
        read = self.stream(messages, **fields)
        assert read.failure is None
        whole = self.post(messages, **fields).json()
        assert forget_ids(read.message) == forget_ids(whole)
        return read.message


@pytest.fixture
def asking(gateway: GatewayProcess, account: str) -> Asking:
    return Asking(gateway, account)


def user(directive: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": f"Please. [[{directive}]]"}]


def read_text(message: dict[str, Any]) -> str:
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("form", FORMS)
def test_a_call_in_every_form_its_result_and_the_answer(asking: Asking, form: str, style: str) -> None:
    messages = user(f"agent form={form} {ARGS} {style}")
    message = asking.both(messages, tools=[READ])
    *before, call = message["content"]
    assert (call["name"], call["input"]) == ("read_file", json.loads(ARGUMENTS))
    assert message["stop_reason"] == "tool_use"
    assert "call-" not in "".join(block.get("text", "") for block in before)
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "hello world"}
    reminder = {"type": "text", "text": "<system-reminder>Be brief.</system-reminder>"}
    messages += [
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": [result, reminder]},
    ]
    message = asking.both(messages, tools=[READ])
    assert (read_text(message), message["stop_reason"]) == ("read_file #1 gave: hello world", "end_turn")


@pytest.mark.parametrize("name", ["bash", "memory"])
def test_a_tool_that_brings_no_schema(asking: Asking, name: str) -> None:
    given = (
        {"command": "view", "path": "/memories", "view_range": [1, 2]}
        if name == "memory"
        else {"command": "ls"}
    )
    # A model may write numbers as text: the schema that is offered puts them right.
    written = json.dumps(given).replace("[1, 2]", '["1", "2"]')
    tools = [{"type": f"{name}_20250818", "name": name}]
    messages = user(f"agent name={name} args={quote(written)}")
    message = asking.both(messages, tools=tools, tool_choice={"type": "tool", "name": name})
    (call,) = message["content"]
    assert (call["name"], call["input"], message["stop_reason"]) == (name, given, "tool_use")
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "hello"}
    messages += [
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": [result]},
    ]
    assert read_text(asking.both(messages, tools=tools)) == f"{name} #1 gave: hello"


def test_a_request_in_the_shape_of_claude_code(asking: Asking, upstream: UpstreamEmulator) -> None:
    """Everything that it sends beside the conversation; nothing of it is refused, and no bill is read out."""
    cached = {"cache_control": {"type": "ephemeral"}}
    message = asking.both(
        [
            {"role": "user", "content": [{"type": "text", "text": "<system-reminder>x</system-reminder>"}]},
            {"role": "system", "content": "A note in between."},
            {"role": "user", "content": [{"type": "text", "text": f"[[agent {ARGS}]]", **cached}]},
        ],
        system=[
            {
                "type": "text",
                "text": "x-anthropic-billing-header: cc_version=2.1.197.abc; cc_entrypoint=cli;",
            },
            {"type": "text", "text": "You are an agent.", **cached},
        ],
        tools=[{**READ, **cached, "strict": True, "defer_loading": False, "eager_input_streaming": True}],
        tool_choice={"type": "auto"},
        thinking={"type": "adaptive"},
        output_config={"effort": "high"},
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        metadata={"user_id": '{"device_id":"x","session_id":"y"}'},
        temperature=1,
    )
    assert message["content"][-1]["input"] == json.loads(ARGUMENTS)
    sent = [str(one["body"]) for one in upstream.requests() if one["path"].endswith("assistant/stream")]
    assert [("A note in between." in body, "billing" in body) for body in sent] == [(True, False)] * 2


def test_text_before_calls_and_several_of_them(asking: Asking) -> None:
    message = asking.both(user(f"agent say=Look:%20 count=3 {ARGS}"), tools=[READ])
    assert [block["type"] for block in message["content"]] == ["text"] + ["tool_use"] * 3
    assert len({block["id"] for block in message["content"][1:]}) == 3
    one = {"type": "auto", "disable_parallel_tool_use": True}
    message = asking.both(user(f"agent count=3 {ARGS}"), tools=[READ], tool_choice=one)
    assert [block["type"] for block in message["content"]] == ["tool_use"]


def test_thinking_is_a_block_of_its_own(asking: Asking) -> None:
    message = asking.both(user("think"), thinking={"type": "enabled", "budget_tokens": 2048})
    assert [block["type"] for block in message["content"]] == ["thinking", "text"]
    message = asking.both(user("think"), thinking={"type": "enabled", "display": "omitted"})
    assert [block["type"] for block in message["content"]] == ["text"]


@pytest.mark.parametrize(
    ("thinking", "chat_mode"),
    [
        (None, ""),
        ({"type": "adaptive"}, ""),
        ({"type": "disabled"}, ""),
        ({"type": "enabled", "budget_tokens": 2048}, "thinking"),
    ],
)
def test_adaptive_is_not_asking(
    asking: Asking, upstream: UpstreamEmulator, thinking: Any, chat_mode: str
) -> None:
    assert asking.post(user("text"), thinking=thinking, output_config={"effort": "high"}).ok
    (sent,) = [one["body"] for one in upstream.requests() if one["path"].endswith("assistant/stream")]
    assert sent["meta_data"]["chat_mode"] == chat_mode


def test_a_stop_sequence_is_named(asking: Asking) -> None:
    message = asking.both(user("text say=one%20END%20two"), stop_sequences=["never", "END"])
    assert (read_text(message), message["stop_reason"], message["stop_sequence"]) == (
        "one ",
        "stop_sequence",
        "END",
    )


def test_what_ends_early_says_so(asking: Asking) -> None:
    message = asking.both(user(f"text say={quote('word ' * 200)}"), max_tokens=10)
    assert message["stop_reason"] == "max_tokens"
    assert asking.both(user("filter"))["stop_reason"] == "refusal"


def test_a_search_of_the_upstreams(asking: Asking) -> None:
    message = asking.both(user("search"), tools=[SEARCH])
    search, result, text = message["content"]
    assert (search["type"], result["type"], text["type"]) == (
        "server_tool_use",
        "web_search_tool_result",
        "text",
    )
    assert result["tool_use_id"] == search["id"]
    found = {page["url"] for page in result["content"]}
    assert found >= {citation["url"] for citation in text["citations"]} > set()
    assert message["usage"]["server_tool_use"]["web_search_requests"] == 1


def test_json_that_fits_its_schema(asking: Asking, upstream: UpstreamEmulator, account: str) -> None:
    name = account.removeprefix("demo-")
    good = quote('{"n": 1}')
    upstream.account(name, next=["text say=no", f"text say={good}"])
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    read = asking.stream([{"role": "user", "content": "n?"}], output_config=wanted)
    assert json.loads(read_text(read.message)) == {"n": 1}


@pytest.mark.parametrize("situation", BEFORE, ids=str)
def test_a_failure_before_the_answer_has_its_status(asking: Asking, situation: Situation) -> None:
    answer = asking.post(user(situation.directive), stream=True)
    assert answer.status_code == situation.status
    body = answer.json()
    assert (body["type"], body["error"]["code"]) == ("error", situation.code)
    assert body["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize("situation", AFTER, ids=str)
def test_a_failure_within_the_answer_is_its_last_event(asking: Asking, situation: Situation) -> None:
    read = asking.stream(user(situation.directive))
    assert read.failure is not None
    assert read.failure["code"] == situation.code


def test_a_silent_answer_is_kept_alive_by_pings(asking: Asking) -> None:
    read = asking.stream(user("stall at=3 seconds=1.5"))
    assert (read.failure, read.message["stop_reason"]) == (None, "end_turn")
    assert read.pings >= 2


def test_a_client_that_leaves_frees_its_account(
    gateway: GatewayProcess, account: str, upstream: UpstreamEmulator
) -> None:
    body = json.dumps({"stream": True, "messages": user("chunks n=600 pace=50")}).encode()
    address = urlsplit(gateway.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: {account}\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        received = b""
        while b"text_delta" not in received:
            received += connection.recv(65536)
        upstream.wait_until(lambda state: state["open_streams"] == 1)
    upstream.wait_until(lambda state: state["open_streams"] == 0, seconds=10)
