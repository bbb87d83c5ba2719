"""Continuing by id: on the account that owns the conversation, over restarts, and for its owner alone."""

from __future__ import annotations

import re

import pytest

from demo.gateway import GatewayProcess
from tests.eventually import eventually
from tests.live_accounts.asking import ask, call
from tests.live_accounts.conftest import StartGateway
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator

FIVE = ",".join(f"demo-five{number}" for number in range(5))
STREAM_PATH = "/chatglm/backend-api/assistant/stream"
BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def turns(upstream: UpstreamEmulator, conversation_id: str) -> int:
    found = {one["id"]: int(one["turns"]) for one in upstream.state()["conversations"]}
    return found[conversation_id]


@pytest.mark.parametrize("rotate", ["soft", "hard"])
def test_over_a_restart_with_five_accounts(
    start: StartGateway, upstream: UpstreamEmulator, rotate: str
) -> None:
    upstream.configure(rotate=rotate, access_life_seconds=3)
    gateway = start()
    begun = [ask(gateway, FIVE, f"你好 {number}", stream=number % 2 == 0) for number in range(10)]
    assert all(answer.good for answer in begun)
    assert {one["account"] for one in upstream.state()["conversations"]} == {f"five{n}" for n in range(5)}
    assert call(gateway, "GET", "/ping").ok  # the round that ended the last answer is over, and written
    gateway.kill()
    gateway = start()
    for turn in (2, 3):
        for number, answer in enumerate(begun):
            again = ask(gateway, FIVE, "还记得吗", stream=(number + turn) % 2 == 0, conversation_id=answer.id)
            assert again.good, again
            assert again.id == answer.id
            assert turns(upstream, answer.id) == turn
    assert len(upstream.state()["conversations"]) == len(begun)


@BOTH
def test_only_the_new_message_is_sent(
    gateway: GatewayProcess, tokens: list[str], upstream: UpstreamEmulator, *, stream: bool
) -> None:
    first = ask(gateway, ",".join(tokens), "我叫小明", stream=stream)
    body = {
        "model": "glm",
        "stream": stream,
        "conversation_id": first.id,
        "messages": [
            {"role": "user", "content": "我叫小明"},
            {"role": "assistant", "content": first.text},
            {"role": "user", "content": "我叫什么"},
        ],
    }
    assert call(gateway, "POST", "/v1/chat/completions", ",".join(tokens), body).status_code == 200
    sent = [one["body"] for one in upstream.requests() if one["path"] == STREAM_PATH][-1]
    assert sent["messages"][0]["content"][0]["text"] == "我叫什么"
    assert sent["conversation_id"] == first.id


def test_a_busy_owner_is_waited_for(
    gateway: GatewayProcess, tokens: list[str], upstream: UpstreamEmulator
) -> None:
    """The other four accounts are free, and of no use."""
    first = ask(gateway, ",".join(tokens), "你好")
    owner = upstream.state()["conversations"][0]["account"]
    busy = open_chat(gateway.url, f"demo-{owner}", "[[chunks n=250 pace=20]]", stream=True)
    busy.read_until(b'"content"')
    again = ask(gateway, ",".join(tokens), "你好", conversation_id=first.id)
    busy.close()
    assert again.good
    assert again.seconds > 0.5
    assert {one["account"] for one in upstream.state()["conversations"]} == {owner}


@BOTH
def test_an_unknown_id_is_not_found(
    gateway: GatewayProcess, tokens: list[str], upstream: UpstreamEmulator, *, stream: bool
) -> None:
    """At most three accounts are asked; none of them is thought ill for it."""
    answer = ask(gateway, ",".join(tokens), "你好", stream=stream, conversation_id="0123456789abcdef01234567")
    assert (answer.status, answer.code) == (404, "conversation_not_found")
    assert upstream.state()["refusals"]["unknown_conversation"] == 3
    states = {one["state"] for one in call(gateway, "GET", "/v1/accounts", ",".join(tokens)).json()["data"]}
    assert states <= {"ready", "unknown"}


def test_an_id_that_only_the_upstream_knows_is_continued(
    start: StartGateway, upstream: UpstreamEmulator
) -> None:
    """The state file was lost; the account is among the first three."""
    gateway = start(GLM_STATE_PATH=":memory:")
    first = ask(gateway, "demo-five2", "你好")
    gateway.kill()
    again = ask(start(GLM_STATE_PATH=":memory:"), FIVE, "你好", conversation_id=first.id, stream=True)
    assert again.id == first.id
    assert turns(upstream, first.id) == 2


def test_where_not_everybody_could_say_it_is_uncertain(gateway: GatewayProcess, tokens: list[str]) -> None:
    answer = ask(gateway, f"{tokens[0]},dead-b", "你好", conversation_id="0123456789abcdef01234567")
    assert (answer.status, answer.code) == (503, "conversation_uncertain")
    assert answer.retry_after > 0


def test_a_dead_access_token_is_renewed_before_it_is_believed(
    gateway: GatewayProcess, tokens: list[str], upstream: UpstreamEmulator
) -> None:
    """Silence means a foreign conversation or a dead token: the owner is asked again with a new one."""
    first = ask(gateway, tokens[0], "你好")
    upstream.account(tokens[0].removeprefix("demo-"), next=["empty"])
    assert ask(gateway, tokens[0], "你好", conversation_id=first.id).good


@BOTH
def test_of_other_callers_there_is_no_hint(
    gateway: GatewayProcess, tokens: list[str], upstream: UpstreamEmulator, *, stream: bool
) -> None:
    first = ask(gateway, tokens[0], "你好")
    before = upstream.state()["requests"]
    foreign = ask(gateway, tokens[1], "你好", stream=stream, conversation_id=first.id)
    unknown = ask(gateway, tokens[1], "你好", stream=stream, conversation_id=first.id[:-1] + "x")
    assert (foreign.status, foreign.code) == (unknown.status, unknown.code) == (404, "conversation_not_found")
    deleted = call(gateway, "DELETE", f"/v1/conversations/{first.id}", tokens[1])
    assert (deleted.status_code, deleted.json()["error"]["code"]) == (404, "conversation_not_found")
    assert call(gateway, "GET", "/v1/conversations", tokens[1]).json()["data"] == []
    assert upstream.state()["requests"][STREAM_PATH] - before[STREAM_PATH] <= 2
    assert upstream.state()["undeleted"] == 1


def test_two_keys_of_one_pool_do_not_see_each_other(start: StartGateway) -> None:
    one, two = "glm-key-one-" + "1" * 40, "glm-key-two-" + "2" * 40
    gateway = start(GLM_REFRESH_TOKENS="demo-a,demo-b", GATEWAY_API_KEYS=f"one={one},two={two}")
    first = ask(gateway, one, "你好")
    assert [kept["id"] for kept in call(gateway, "GET", "/v1/conversations", one).json()["data"]] == [
        first.id
    ]
    assert call(gateway, "GET", "/v1/conversations", two).json()["data"] == []
    assert ask(gateway, two, "你好", conversation_id=first.id).code == "conversation_not_found"
    assert call(gateway, "DELETE", f"/v1/conversations/{first.id}", two).status_code == 404
    assert ask(gateway, one, "你好", conversation_id=first.id).good


def test_listing_and_deleting(gateway: GatewayProcess, tokens: list[str], upstream: UpstreamEmulator) -> None:
    first, second = (ask(gateway, ",".join(tokens), "你好") for _ in range(2))
    listed = call(gateway, "GET", "/v1/conversations", ",".join(tokens)).json()["data"]
    assert {kept["id"] for kept in listed} == {first.id, second.id}
    assert all(550 < kept["expires"] - kept["last_used"] <= 601 for kept in listed)
    deleted = call(gateway, "DELETE", f"/v1/conversations/{first.id}", ",".join(tokens))
    assert deleted.json() == {"id": first.id, "object": "conversation.deleted", "deleted": True}
    assert upstream.state()["undeleted"] == 1
    assert ask(gateway, ",".join(tokens), "你好", conversation_id=first.id).status == 404
    assert call(gateway, "DELETE", f"/v1/conversations/{first.id}", ",".join(tokens)).status_code == 404


def test_a_login_that_becomes_known_late_keeps_its_conversations(
    start: StartGateway, upstream: UpstreamEmulator
) -> None:
    """The refresh of 2024 does not say whose login it is; that of 2026 does."""
    gateway = start(GLM_CONVERSATION_TTL="6")
    upstream.configure(era="2024")
    first = ask(gateway, "demo-late", "你好")
    upstream.configure(era="both")
    assert call(gateway, "POST", "/token/check?fresh=1", body={"token": "demo-late"}).json() == {"live": True}
    again = ask(gateway, "demo-late", "又来", conversation_id=first.id)
    assert (again.id, again.code) == (first.id, "")
    assert call(gateway, "GET", "/v1/conversations", "demo-late").json()["data"][0]["id"] == first.id
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_one_in_use_cannot_be_deleted(gateway: GatewayProcess, tokens: list[str]) -> None:
    busy = open_chat(gateway.url, tokens[0], "[[chunks n=5000 pace=20]]", stream=True)
    found = re.search(rb'"id":"(\w+)"', busy.read_until(b'"content"'))
    assert found
    deleted = call(gateway, "DELETE", f"/v1/conversations/{found[1].decode()}", tokens[0])
    assert (deleted.status_code, deleted.json()["error"]["code"]) == (409, "conversation_busy")
    busy.close()


def test_its_time_moves_with_every_use(start: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start(GLM_CONVERSATION_TTL="3")
    first = ask(gateway, "demo-a", "[[chunks n=35 pace=50]]")
    for _ in range(2):  # each answer takes nearly two seconds, so that the first due time passes meanwhile
        assert ask(gateway, "demo-a", "[[chunks n=35 pace=50]]", conversation_id=first.id).good
    assert upstream.state()["undeleted"] == 1
    upstream.wait_until(lambda state: state["undeleted"] == 0)
    assert ask(gateway, "demo-a", conversation_id=first.id).code == "conversation_not_found"


def test_with_time_zero_it_goes_at_once(start: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start(GLM_CONVERSATION_TTL="0")
    for stream in (True, False):
        assert ask(gateway, "demo-a", stream=stream).good
        upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_deleting_and_continuing_at_the_same_moment(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """The deletion of a due conversation is held up by a slow refresh when its owner continues it.

    The upstream must not see it deleted while it answers: the fixture looks.
    """
    gateway = start(GLM_CONVERSATION_TTL="3")
    first = ask(gateway, "demo-a")
    upstream.account("a", delete_next=["login401"], refresh_next=["slow seconds=1"])
    eventually(lambda: upstream.state()["accounts"]["a"]["refreshes"] == 2)
    again = ask(gateway, "demo-a", "[[chunks n=40 pace=50]]", conversation_id=first.id)
    assert (again.status, again.code) == (404, "conversation_not_found")
    upstream.wait_until(lambda state: state["undeleted"] == 0)
