"""Protocol notes 5: answers that are not a stream."""

from __future__ import annotations

import pytest

from tests.upstream_emulator.client import STREAM, Client, chat_body
from upstream_emulator.emulator import UpstreamEmulator
from upstream_emulator.fault import FAULTS

CAPTURED = {
    "json200": '{"status":500,"message":"您已多次体验过对话, 请登录后继续使用","result":null}',
    "toolong": '{"message":"内容已超过对话长度62.25%，请删减部分文件","result":[],"status":2}',
    "validation": '{"validation_error":{"body_params":[{"loc":["assistant_id"],"msg":"field required",'
    '"type":"value_error.missing"}]}}',
}


@pytest.mark.parametrize("name", CAPTURED)
def test_captured_bodies_are_sent_byte_for_byte(client: Client, name: str) -> None:
    reply = client.chat(f"[[{name}]]")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.body.decode() == CAPTURED[name]


@pytest.mark.parametrize(
    ("name", "status", "code", "words"),
    [
        ("busy429", 429, 10061, "请等待其他对话生成完毕"),
        ("throttled429", 429, 10061, "请求过于频繁"),
        ("busy200", 200, 10061, "请等待其他对话生成完毕"),
        ("waf400", 400, 40012, "bad request"),
        ("login401", 401, 40103, "user needs login"),
        ("http500", 500, 500, "internal server error"),
    ],
)
def test_envelopes(client: Client, name: str, status: int, code: int, words: str) -> None:
    reply = client.chat(f"[[{name}]]")
    assert (reply.status, reply.json["status"]) == (status, code)
    assert words in reply.json["message"]
    assert len(reply.json["rid"]) == 32


@pytest.mark.parametrize(
    ("name", "status"),
    [("html429", 429), ("html502", 502), ("html503", 503), ("waf200", 200), ("waf405", 405)],
)
def test_pages(client: Client, name: str, status: int) -> None:
    reply = client.chat(f"[[{name}]]")
    assert (reply.status, reply.headers["content-type"]) == (status, "text/html")
    assert reply.body.startswith(b"<")


def test_an_empty_stream(client: Client) -> None:
    reply = client.chat("[[empty]]")
    assert (reply.status, reply.body, reply.is_whole) == (200, b"", True)
    assert reply.headers["content-type"].startswith("text/event-stream")


def test_a_hang_up(client: Client) -> None:
    with pytest.raises(ConnectionResetError):
        client.chat("[[hangup]]")


def test_silence_lasts_until_the_client_leaves(client: Client, upstream: UpstreamEmulator) -> None:
    before = upstream.state()["open_connections"]
    with Client(upstream.url, timeout_seconds=0.05) as other:
        other.token = client.token
        other.send("POST", STREAM, chat_body("[[silence]]"))
        with pytest.raises(TimeoutError):
            other.read_head()
    upstream.wait_until(lambda state: state["open_connections"] <= before)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_begins_no_conversation(client: Client, upstream: UpstreamEmulator, name: str) -> None:
    client.chat(f"[[{name}]]")
    state = upstream.state()
    assert state["conversations"] == []
    assert state["accounts"]["ann"]["answers"] == 0


def test_a_fault_for_every_call(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.configure(fault="html502")
    assert [client.chat("[[text]]").status, client.refresh("demo-ann").status] == [502, 502]
    upstream.configure(fault="")
    assert client.chat("[[text]]").status == 200
