"""Protocol notes 3 and 5.2: which stream requests are answered, and how an answer lives and ends."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.upstream_emulator.client import ASSISTANT, STOP, STREAM, Client, chat_body, fold
from upstream_emulator.emulator import UpstreamEmulator


def test_the_friendly_answer_quotes_the_question_and_counts_the_turns(client: Client) -> None:
    first = client.chat("今天好吗？")
    assert first.headers["content-type"].startswith("text/event-stream")
    assert "“今天好吗？”" in first.text
    assert "第 1 轮" in first.text
    again = client.chat("还有呢？", first.frames[0]["conversation_id"])
    assert "“还有呢？”" in again.text
    assert "第 2 轮" in again.text


def test_ids_are_in_every_frame(client: Client) -> None:
    frames = client.chat("你好").frames
    assert {frame["assistant_id"] for frame in frames} == {ASSISTANT}
    (conversation_id,) = {frame["conversation_id"] for frame in frames}
    (message_id,) = {frame["id"] for frame in frames}
    assert re.fullmatch("[0-9a-f]{24}", conversation_id)
    assert int(message_id, 16) == int(conversation_id, 16) + 1


def test_thinks_and_searches_when_asked(client: Client) -> None:
    meta = {"chat_mode": "thinking", "is_networking": True}
    frames = client.chat("你好", meta_data=meta).frames
    assert list(fold(frames)) == ["think", "tool_calls", "tool_result", "text"]
    assert list(fold(client.chat("你好").frames)) == ["text"]


def test_only_the_first_message_counts(client: Client) -> None:
    body = chat_body("[[text say=first]]")
    body["messages"] += chat_body("[[text say=second]]")["messages"]
    assert client.post(STREAM, body).text == "first"


def test_text_parts_are_joined_and_others_say_nothing(client: Client) -> None:
    parts = [{"type": "image", "image": []}, {"type": "text", "text": "一"}, {"type": "text", "text": "二"}]
    body = chat_body("") | {"messages": [{"role": "user", "content": parts}]}
    assert "一\n二" in client.post(STREAM, body).text


def test_the_last_directive_counts(client: Client) -> None:
    assert client.chat("[[busy]] [[http500]] [[text say=%E5%A5%BD]] 谢谢").text == "好"


def test_a_mistyped_directive_is_told(client: Client) -> None:
    assert "没有名为 txet 的场景" in client.chat("[[txet]]").text


@pytest.mark.parametrize("conversation_id", ["0" * 24, "none", "x", "\ud800"])
def test_a_made_up_conversation_is_an_empty_stream(
    client: Client, upstream: UpstreamEmulator, conversation_id: str
) -> None:
    reply = client.chat("你好", conversation_id)
    assert (reply.status, reply.body, reply.is_whole) == (200, b"", True)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert upstream.state()["refusals"] == {"unknown_conversation": 1}


def test_a_foreign_conversation_is_an_empty_stream(client: Client) -> None:
    conversation_id = client.chat("[[text]]").frames[0]["conversation_id"]
    client.logged_in("demo-bob")
    assert client.chat("你好", conversation_id).body == b""


def test_a_missing_assistant_gives_the_captured_words(client: Client) -> None:
    body = chat_body("你好")
    del body["assistant_id"]
    reply = client.post(STREAM, body)
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.body == (
        b'{"validation_error":{"body_params":[{"loc":["assistant_id"],"msg":"field required",'
        b'"type":"value_error.missing"}]}}'
    )


@pytest.mark.parametrize(
    ("changes", "location"),
    [
        ({"assistant_id": None}, ["assistant_id"]),
        ({"assistant_id": 1}, ["assistant_id"]),
        ({"conversation_id": {}}, ["conversation_id"]),
        ({"meta_data": []}, []),
        ({"meta_data": [1]}, ["meta_data"]),
        ({"messages": None}, ["messages"]),
        ({"messages": "你好"}, ["messages"]),
        ({"messages": []}, ["messages"]),
        ({"messages": ["你好"]}, ["messages", 0]),
        ({"messages": [{}]}, ["messages", 0, "content"]),
        ({"messages": [{"content": "你好"}]}, ["messages", 0, "content"]),
        ({"messages": [{"content": ["你好"]}]}, ["messages", 0, "content", 0]),
        ({"messages": [{"content": [{}]}]}, ["messages", 0, "content", 0, "type"]),
        ({"messages": [{"content": [{"type": "text"}]}]}, ["messages", 0, "content", 0, "text"]),
    ],
)
def test_validation(client: Client, changes: dict[str, Any], location: list[str | int]) -> None:
    reply = client.post(STREAM, chat_body("[[text]]") | changes)
    if location:
        assert reply.json["validation_error"]["body_params"][0]["loc"] == location
    else:
        assert reply.frames[-1]["status"] == "finish"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'"text"'])
def test_a_body_that_is_no_object_is_a_bad_request(client: Client, body: bytes) -> None:
    reply = client.post(STREAM, body)
    assert (reply.status, reply.json["message"]) == (400, "bad request")


def test_half_a_surrogate_pair_does_no_harm(client: Client, upstream: UpstreamEmulator) -> None:
    assert "“?”" in client.chat("\ud800").text
    assert client.chat("[[text]]", assistant_id="\ud800").frames[0]["assistant_id"] == "?"
    with Client(upstream.url) as control:
        assert control.call("GET", "/_emulator/requests", headers={}).status == 200


def test_one_answer_at_a_time(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[stall]]"))
    stalled = client.read_head()
    with Client(upstream.url) as other:
        other.token = client.token
        reply = other.chat("你好")
        assert (reply.status, reply.json["status"]) == (429, 10061)
        assert "请等待其他对话生成完毕" in reply.json["message"]
        assert other.logged_in("demo-bob").chat("[[text]]").status == 200
    state = upstream.state()
    assert (state["violations"], state["accounts"]["ann"]["violations"]) == (1, 1)
    assert state["accounts"]["ann"]["open_streams"] == state["open_streams"] == 1
    assert stalled.status == 200


def test_the_account_is_free_when_the_end_is_seen(client: Client, upstream: UpstreamEmulator) -> None:
    for _ in range(20):
        assert client.chat("[[text]]").status == 200
    state = upstream.state()
    assert (state["violations"], state["stopped_early"], state["accounts"]["ann"]["answers"]) == (0, 0, 20)


def test_a_client_that_leaves_frees_its_account(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[stall at=0]]"))
    client.read_head()
    assert upstream.state()["open_streams"] == 1
    client.close()
    state = upstream.wait_until(lambda state: state["open_streams"] == 0)
    assert state["stopped_early"] == 1
    assert client.chat("[[text]]").status == 200


def test_a_client_that_left_in_the_same_moment_frees_its_account(
    client: Client, upstream: UpstreamEmulator
) -> None:
    """On a busy machine one round of the event loop finds a question, its client's end and the next one."""
    with Client(upstream.url) as other:
        other.token = client.token
        assert other.post(STOP, {"history_id": "0" * 24}).json["status"] == 0  # its connection is accepted
        with upstream.held():
            client.send("POST", STREAM, chat_body("[[stall]]"))
            client.close()
            other.send("POST", STREAM, chat_body("[[text]]"))
        assert other.read_answer().status == 200
    state = upstream.state()
    assert (state["violations"], state["stopped_early"], state["accounts"]["ann"]["answers"]) == (0, 1, 2)


def test_a_client_that_leaves_before_the_head(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[text head=60000]]"))
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    client.close()
    assert upstream.wait_until(lambda state: state["open_streams"] == 0)["undeleted"] == 0


def test_stopping_an_answer(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[stall at=1]]"))
    reply = client.read_head()
    pieces = client.read_pieces(reply)
    reply.pieces.append(next(pieces))
    message_id = reply.frames[0]["id"]
    with Client(upstream.url) as other:
        other.token = client.token
        assert other.post(STOP, {"history_id": "0" * 24}).json["status"] == 0
        assert upstream.state()["open_streams"] == 1
        assert other.post(STOP, {"history_id": message_id}).json["status"] == 0
    reply.pieces += pieces
    assert reply.frames[-1]["status"] == "error"
    assert reply.frames[-1]["error"] == {"error_code": 10024, "err_msg": "generator exit"}
    assert upstream.state()["stopped_early"] == 0


def test_scenarios_can_be_queued_for_an_account(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", next=["busy429", "text say=queued", "[[text say=bracketed]]"])
    assert client.chat("[[text]]").status == 429
    assert [client.chat("[[busy]]").text for _ in range(2)] == ["queued", "bracketed"]
    assert client.chat("[[text say=own]]").text == "own"


def test_a_queued_fault_waits_while_the_account_is_busy(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[stall]]"))
    client.read_head()
    upstream.account("ann", next=["http500"])
    with Client(upstream.url) as other:
        other.token = client.token
        assert other.chat("你好").status == 429
    client.close()
    upstream.wait_until(lambda state: state["open_streams"] == 0)
    assert client.chat("你好").status == 500


@pytest.mark.parametrize(
    ("era", "style", "shown"),
    [("2024", "", "snapshot"), ("2026", "", "delta"), ("both", "snapshot", "snapshot")],
)
def test_the_default_style(
    client: Client, upstream: UpstreamEmulator, era: str, style: str, shown: str
) -> None:
    upstream.configure(era=era, style=style)
    frames = client.chat("[[repeat]]").frames
    second = frames[2]["parts"][0]["content"][0]["text"]
    assert second == {"snapshot": "哈哈", "delta": "哈"}[shown]
