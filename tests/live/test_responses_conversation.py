"""Conversations by way of responses: gone on from, failed in between, deleted, and nobody else's."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import OpenAI

from demo.gateway import GatewayProcess
from tests.live.asking_responses import ARGS, READ, ask, count_questions, prompts, streamed
from tests.live.conftest import connect
from upstream_emulator.emulator import UpstreamEmulator


@streamed
def test_going_on_from_an_answer(client: OpenAI, upstream: UpstreamEmulator, *, stream: bool) -> None:
    """Only what is new is sent; the result of a call goes the same way, and is known by its tool."""
    first = ask(client, f"Please. [[agent {ARGS}]]", stream=stream, tools=[READ], instructions="Be kind.")
    (call,) = first.output
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "hello world"}
    second = ask(
        client, [result], stream=stream, tools=[READ], instructions="Be kind.", previous_response_id=first.id
    )
    assert second.previous_response_id == first.id
    asked = prompts(upstream)[-1]
    assert "Be kind." in asked
    assert "[Result of read_file #1]\nhello world" in asked
    assert "Please." not in asked
    third = ask(client, "And now?", stream=stream, previous_response_id=second.id)
    assert prompts(upstream)[-1] == "And now?"
    ids = [response.id.rpartition("_") for response in (first, second, third)]
    assert [turn for _, _, turn in ids] == ["1", "2", "3"]
    assert len({conversation for conversation, _, _ in ids}) == 1


@streamed
def test_a_reference_to_an_item_goes_on_as_well(
    client: OpenAI, upstream: UpstreamEmulator, *, stream: bool
) -> None:
    first = ask(client, "One.", stream=stream)
    (message,) = first.output
    reference = {"type": "item_reference", "id": message.id}
    history = [{"role": "user", "content": "One."}, reference, {"role": "user", "content": "Two."}]
    second = ask(client, history, stream=stream)
    assert (prompts(upstream)[-1], second.id[:-1]) == ("Two.", first.id[:-1])
    with pytest.raises(openai.BadRequestError) as raised:
        ask(client, history, stream=stream)
    assert raised.value.code == "previous_response_not_found"


@streamed
def test_what_cannot_be_gone_on_from(client: OpenAI, upstream: UpstreamEmulator, *, stream: bool) -> None:
    """An earlier answer, one that was not kept, one of nobody: each is told, and nobody is asked."""
    first = ask(client, "One.", stream=stream)
    ask(client, "Two.", stream=stream, previous_response_id=first.id)
    unkept = ask(client, "One.", stream=stream, store=False)
    asked = count_questions(upstream)
    for named in (first.id, unkept.id, "resp_" + "a" * 24 + "_1", "resp_nonsense"):
        with pytest.raises(openai.BadRequestError) as raised:
            ask(client, "Three.", stream=stream, previous_response_id=named)
        error = raised.value
        assert (error.code, error.param) == ("previous_response_not_found", "previous_response_id")
    assert count_questions(upstream) == asked


def test_nobody_goes_on_from_somebody_elses_answer(client: OpenAI, gateway: GatewayProcess) -> None:
    response = ask(client, "One.", stream=False)
    with connect(gateway, "demo-somebody-else") as other:
        with pytest.raises(openai.BadRequestError):
            ask(other, "Two.", stream=False, previous_response_id=response.id)
        with pytest.raises(openai.NotFoundError):
            other.responses.delete(response.id)
    ask(client, "Two.", stream=False, previous_response_id=response.id)


@pytest.mark.parametrize("cut", ["cut", "stall seconds=30"])
def test_a_failed_answer_is_no_turn(client: OpenAI, cut: str) -> None:
    """Who tries again goes on from the answer that the client has whole."""
    first = ask(client, "One.", stream=False)
    with client.responses.stream(
        model="glm", input=f"[[{cut} at=3]]", previous_response_id=first.id
    ) as events:
        failed = [event for event in events if event.type == "response.failed"]
    assert len(failed) == 1
    again = ask(client, "Two.", stream=False, previous_response_id=first.id)
    assert again.id.endswith("_2")


def test_a_response_is_deleted_with_its_conversation(client: OpenAI, upstream: UpstreamEmulator) -> None:
    first = ask(client, "One.", stream=False)
    second = ask(client, "Two.", stream=False, previous_response_id=first.id)
    assert upstream.state()["undeleted"] == 1
    client.responses.delete(second.id)
    upstream.wait_until(lambda state: state["undeleted"] == 0)
    for gone in (first.id, second.id, "resp_none"):
        with pytest.raises(openai.NotFoundError) as raised:
            client.responses.delete(gone)
        assert raised.value.code == "not_found"


def test_nothing_is_stored_that_could_be_shown(client: OpenAI) -> None:
    response = ask(client, "One.", stream=False)
    calls: list[Any] = [client.responses.retrieve, client.responses.input_items.list, client.responses.cancel]
    for call in calls:
        with pytest.raises(openai.NotFoundError) as raised:
            call(response.id)
        assert (raised.value.code, raised.value.param) == ("not_found", "response_id")
