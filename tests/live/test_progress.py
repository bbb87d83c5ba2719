"""A stream with `"progress": true`: its head comes at once, and it says what is waited for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import requests
from openai import APIError, APIStatusError, OpenAI

from demo.gateway import GatewayProcess
from tests.eventually import eventually
from tests.live.asking import Heard, ask
from tests.live.conftest import StartGateway, connect, list_states
from tests.live.situation import AFTER, BEFORE, Situation
from tests.message_reader import MessageReader
from tests.raw_client import RawClient, open_chat
from upstream_emulator.emulator import UpstreamEmulator

PROGRESS = {"progress": True}
STREAM = "/chatglm/backend-api/assistant/stream"
ASKED = "Asked; waiting for the answer. 已提问，正在等待回答。\n"
PLACE = "Waiting for an account: place {place} in the queue. 正在排队等待账号：第 {place} 位。"


def ask_with_progress(client: OpenAI, question: str, **more: Any) -> Heard:
    return ask(client, question, stream=True, extra_body=PROGRESS, **more)


@contextmanager
def keep_busy(gateway: GatewayProcess, upstream: UpstreamEmulator, account: str) -> Iterator[RawClient]:
    """The account answers for seconds, or until its client is closed."""
    streams = upstream.state()["open_streams"]
    busy = open_chat(gateway.url, account, "[[chunks n=5000 pace=20]]", stream=True)
    upstream.wait_until(lambda state: state["open_streams"] == streams + 1)
    try:
        yield busy
    finally:
        busy.close()


def open_stream(gateway: GatewayProcess, account: str, question: str = "[[text]]") -> RawClient:
    return open_chat(gateway.url, account, question, stream=True, **PROGRESS)


def read_place(client: RawClient, place: int) -> None:
    client.read_until(PLACE.format(place=place).encode())


def has_left(gateway: GatewayProcess, count: int) -> bool:
    return gateway.log().count("client gone") == count


def test_the_answer_follows_what_was_waited_for(client: OpenAI) -> None:
    plain, told = ask(client, "[[text]]", stream=True), ask_with_progress(client, "[[text]]")
    assert (told.text, told.finish, told.reasoning) == (plain.text, "stop", ASKED)


def test_programs_can_tell_it_from_thinking(client: OpenAI) -> None:
    chunks = client.chat.completions.create(
        model="glm-think",
        messages=[{"role": "user", "content": "[[think thought=hm say=so]]"}],
        stream=True,
        extra_body=PROGRESS,
    )
    deltas = [chunk.choices[0].delta.model_dump(exclude_none=True) for chunk in chunks]
    told = [
        (delta["reasoning_content"], delta.get("progress"))
        for delta in deltas
        if "reasoning_content" in delta
    ]
    assert told[0] == (ASKED, {"kind": "ask"})
    assert "".join(words for words, progress in told if progress is None) == "hm"


def test_a_search_is_named(client: OpenAI) -> None:
    told = ask_with_progress(client, "[[text]]", model="glm-search")
    assert told.reasoning == "Searching the web. 正在联网搜索。\n"


def test_what_is_said_is_not_counted(client: OpenAI) -> None:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}}
    plain = ask(client, "[[text]]", stream=True, **options)
    assert ask_with_progress(client, "[[text]]", **options).usage == plain.usage


def test_the_role_comes_once_and_the_id_goes_on(
    client: OpenAI, gateway: GatewayProcess, account: str
) -> None:
    with open_stream(gateway, account) as raw:
        body = raw.read_answer().body
    assert body.count(b'"role":"assistant"') == 1
    chunks = [json.loads(line[6:]) for line in body.split(b"\n\n") if line.startswith(b"data: {")]
    more = {"conversation_id": chunks[-1]["id"]} | PROGRESS
    told = ask(client, "[[text]]", stream=True, extra_body=more)
    assert told.ids == {chunks[-1]["id"]}


def test_a_whole_answer_ignores_it(client: OpenAI) -> None:
    assert ask(client, "[[text]]", stream=False, extra_body=PROGRESS).reasoning == ""
    with pytest.raises(APIStatusError):
        ask(client, "[[busy]]", stream=False, extra_body=PROGRESS)


def test_without_it_the_head_waits_for_the_answer(gateway: GatewayProcess, account: str) -> None:
    with open_chat(gateway.url, account, "[[busy]]", stream=True, progress=False) as raw:
        assert raw.read_answer().status == 503


def test_the_head_comes_while_the_upstream_is_silent(gateway: GatewayProcess, account: str) -> None:
    with open_stream(gateway, account, "[[silence]]") as raw:
        answer = raw.read_head()
        assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert b": ping\n\n" in raw.read_until(b": ping\n\n")
        assert b"upstream_timeout" in b"".join(raw.read_pieces(answer))
        assert answer.is_whole


def test_the_place_in_the_queue_is_told_as_it_changes(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    with keep_busy(gateway, upstream, account) as busy, open_stream(gateway, account) as first:
        read_place(first, 1)
        with open_stream(gateway, account) as second:
            read_place(second, 2)
            assert b": ping\n\n" in second.read_until(b": ping\n\n")
            first.close()
            read_place(second, 1)
            busy.close()
            said = second.read_until(b"[DONE]")
    assert said.index(b"place 2") < said.index(b"place 1") < said.index(b"Asked;")
    assert said.count(b"place ") == 2


@pytest.mark.parametrize("situation", [*BEFORE, *AFTER], ids=lambda situation: situation.directive)
def test_every_failure_is_an_error_event(client: OpenAI, situation: Situation) -> None:
    with pytest.raises(APIError) as raised:
        ask_with_progress(client, f"[[{situation.directive}]]")
    assert not isinstance(raised.value, APIStatusError)
    assert (raised.value.type, raised.value.code) == situation[2:]


@pytest.mark.parametrize(
    ("question", "more", "code"),
    [
        ("[[empty]]", {"conversation_id": "c" * 24}, "conversation_not_found"),
        ("[[no-assistant]]", {"model": "a" * 24}, "model_not_found"),
    ],
)
def test_what_the_caller_can_mend_is_an_error_event_too(
    client: OpenAI, question: str, more: dict[str, str], code: str
) -> None:
    with pytest.raises(APIError) as raised:
        ask(client, question, stream=True, extra_body=PROGRESS | more)
    assert not isinstance(raised.value, APIStatusError)
    assert raised.value.code == code


def test_what_no_question_is_keeps_its_status(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as raised:
        client.chat.completions.create(model="glm", messages=[], stream=True, extra_body=PROGRESS)
    assert raised.value.status_code == 400


def test_the_next_account_is_asked_behind_the_head(gateway: GatewayProcess, account: str) -> None:
    dead = account.replace("demo-", "dead-")
    with connect(gateway, f"{dead},{account}") as client:
        assert ask_with_progress(client, "[[text]]").finish == "stop"


@pytest.mark.parametrize(
    "question", ["[[silence]]", "[[stall at=0 seconds=30]]", "[[chunks n=5000 pace=20]]"]
)
def test_leaving_frees_the_account(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str, question: str
) -> None:
    """While it is asked, at its first event, in the middle; the log knows it as every other one that left.

    No clock ends any of these answers before it does.
    """
    patience = {f"GLM_{clock}_SECONDS": "60" for clock in ("FIRST_EVENT", "IDLE", "START")}
    gateway = start_gateway(GLM_CONVERSATION_TTL="0", **patience)
    with open_stream(gateway, account, question) as raw:
        raw.read_until(b'{"content":"' if "chunks" in question else b"Asked;")
        upstream.wait_until(lambda state: state["requests"].get(STREAM, 0) > 0)
    eventually(lambda: "answering" not in list_states(gateway, account))
    eventually(lambda: "client gone" in gateway.log())
    eventually(lambda: (upstream.state()["open_streams"], upstream.state()["undeleted"]) == (0, 0))


def test_leaving_the_queue_leaves_nothing(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    """Nobody stands in the way of the next, and the upstream hears nothing of it."""
    gateway = start_gateway(GLM_QUEUE_SECONDS="20", GLM_START_SECONDS="20")
    with keep_busy(gateway, upstream, account) as busy:
        for number in (1, 2, 3):
            with open_stream(gateway, account) as raw:
                read_place(raw, 1)  # those who left before have no place any more
            eventually(partial(has_left, gateway, number))
        with open_stream(gateway, account) as raw:
            read_place(raw, 1)
            busy.close()
            raw.read_until(b"[DONE]")
    assert upstream.state()["requests"][STREAM] == 2


def test_a_stop_is_told_to_who_waits(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    gateway = start_gateway(GLM_QUEUE_SECONDS="20", GLM_START_SECONDS="20", GLM_DRAIN_SECONDS="1")
    with keep_busy(gateway, upstream, account), open_stream(gateway, account) as raw:
        read_place(raw, 1)
        assert gateway.stop() == 0
        assert b"shutting_down" in raw.read_to_end()


def ask_messages(gateway: GatewayProcess, account: str, question: str, **fields: Any) -> MessageReader:
    """A streamed request for Anthropic Messages, read by the rules of its events."""
    answer = requests.post(
        f"{gateway.url}/v1/messages",
        json={"model": "glm", "messages": [{"role": "user", "content": question}], "stream": True} | fields,
        headers={"x-api-key": account},
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    return MessageReader().read(answer.content)


def list_blocks(read: MessageReader) -> list[tuple[str, str]]:
    return [(block["type"], block[block["type"]]) for block in read.message["content"]]


def test_messages_tell_it_in_a_block_of_thinking(gateway: GatewayProcess, account: str) -> None:
    plain = ask_messages(gateway, account, "[[text]]")
    told = ask_messages(gateway, account, "[[text]]", **PROGRESS)
    assert list_blocks(told) == [("thinking", ASKED), *list_blocks(plain)]
    assert told.message["usage"] == plain.message["usage"]
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    thought = ask_messages(gateway, account, "[[think thought=hm say=so]]", **PROGRESS, **thinking)
    assert list_blocks(thought) == [("thinking", ASKED), ("thinking", "hm"), ("text", "so")]


def test_the_failure_of_messages_is_an_error_event(gateway: GatewayProcess, account: str) -> None:
    failure = ask_messages(gateway, account, "[[busy]]", **PROGRESS).failure
    assert failure is not None
    assert (failure["type"], failure["code"]) == ("overloaded_error", "upstream_busy")
    assert failure["retry_after"] > 0


def test_whole_messages_ignore_it(gateway: GatewayProcess, account: str) -> None:
    answer = requests.post(
        f"{gateway.url}/v1/messages",
        json={"model": "glm", "messages": [{"role": "user", "content": "[[text]]"}], **PROGRESS},
        headers={"x-api-key": account},
        timeout=20,
    )
    assert [block["type"] for block in answer.json()["content"]] == ["text"]
