"""Going on without ids, by Messages and Responses: the history comes back in the format's own shape."""

from __future__ import annotations

from typing import Any

import pytest
from openai import OpenAI

from demo.gateway import GatewayProcess
from tests.live import asking_responses
from tests.live.asking_responses import streamed
from tests.live.test_going_on import list_asked, list_new
from tests.live.test_messages import Asking, asking
from upstream_emulator.emulator import UpstreamEmulator

__all__ = ["asking"]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNg+M/AAAADAQEAyf6S7wAAAABJRU5ErkJggg=="
THOUGHT = {"type": "enabled", "budget_tokens": 2000}


def say(asking: Asking, messages: list[Any], said: Any, *, stream: bool, **fields: Any) -> list[Any]:
    """One turn of a client that keeps what it was answered, block by block."""
    messages.append({"role": "user", "content": said})
    if stream:
        message = asking.stream(messages, **fields).message
    else:
        message = asking.post(messages, **fields).json()
    messages.append({"role": "assistant", "content": message["content"]})
    return [block["type"] for block in message["content"]]


@streamed
def test_messages_go_on_with_thinking_and_pictures_in_them(
    asking: Asking, upstream: UpstreamEmulator, *, stream: bool
) -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    fields: dict[str, Any] = {"system": "Be brief.", "thinking": THOUGHT}
    messages: list[Any] = []
    first = [{"type": "text", "text": "[[think]]"}, picture]
    assert say(asking, messages, first, stream=stream, **fields) == ["thinking", "text"]
    say(asking, messages, "second", stream=stream, **fields)
    say(asking, messages, [{"type": "text", "text": "third"}], stream=stream, **fields)
    assert list_new(upstream) == [True, False, False]
    assert [text for _, text in list_asked(upstream)[1:]] == ["second", "third"]
    assert len(upstream.state()["uploads"]) == 1
    assert upstream.state()["undeleted"] == 1


def test_messages_go_on_where_citations_were_given(asking: Asking, upstream: UpstreamEmulator) -> None:
    messages: list[Any] = []
    say(asking, messages, "[[search]]", stream=True, model="glm-search")
    say(asking, messages, "second", stream=True, model="glm-search")
    assert list_new(upstream) == [True, False]


def test_a_changed_history_of_messages_begins_anew(asking: Asking, upstream: UpstreamEmulator) -> None:
    messages: list[Any] = []
    say(asking, messages, "first", stream=True)
    for fields in ({"system": "Be brief."}, {"model": "glm-think"}, {"tools": [TOOL]}):
        say(asking, messages.copy(), "second", stream=True, **fields)
    messages[1]["content"][0]["text"] += "!"
    say(asking, messages, "second", stream=True)
    assert list_new(upstream) == [True] * 5


TOOL = {"name": "read_file", "input_schema": {"type": "object"}}


def test_what_no_client_of_messages_holds_an_id_of_goes_at_a_shutdown(
    start_gateway: Any, upstream: UpstreamEmulator, account: str
) -> None:
    gateway: GatewayProcess = start_gateway()
    say(Asking(gateway, account), [], "first", stream=False)
    assert upstream.state()["undeleted"] == 1
    gateway.stop()
    assert upstream.state()["undeleted"] == 0


def respond(client: OpenAI, items: list[Any], said: str, *, stream: bool, **fields: Any) -> str:
    """One turn of a client that keeps items, as sessions of agents do; gives the answer's id."""
    items.append({"role": "user", "content": said})
    response = asking_responses.ask(client, items, stream=stream, **fields)
    items += [item.model_dump(exclude_unset=True) for item in response.output]
    return str(response.id)


@streamed
def test_responses_go_on_where_all_items_are_sent_back(
    client: OpenAI, upstream: UpstreamEmulator, *, stream: bool
) -> None:
    items: list[Any] = []
    fields: dict[str, Any] = {"instructions": "Be brief.", "reasoning": {"effort": "high"}}
    ids = [respond(client, items, said, stream=stream, **fields) for said in ("[[think]]", "second", "third")]
    assert list_new(upstream) == [True, False, False]
    assert [text for _, text in list_asked(upstream)[1:]] == ["second", "third"]
    assert [one.rsplit("_", 1)[1] for one in ids] == ["1", "2", "3"]
    assert any(item["type"] == "reasoning" for item in items if "type" in item)
    # The id of the latest answer stays good.
    asking_responses.ask(client, "fourth", stream=stream, previous_response_id=ids[-1])
    assert list_new(upstream)[-1] is False
    assert upstream.state()["undeleted"] == 1


@pytest.mark.parametrize(
    "fields", [{"store": False}, {"instructions": "x"}, {"tools": [asking_responses.READ]}]
)
def test_responses_begin_anew(client: OpenAI, upstream: UpstreamEmulator, fields: dict[str, Any]) -> None:
    """Nothing is kept for who stores nothing; other instructions are another history; with tools never."""
    items: list[Any] = []
    respond(client, items, "first", stream=False, **({"store": False} if "store" in fields else {}))
    respond(client, items, "second", stream=False, **fields)
    assert list_new(upstream) == [True, True]
    kept = 0 if "store" in fields else 2
    upstream.wait_until(lambda state: state["undeleted"] == kept)
