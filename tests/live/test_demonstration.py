"""What the stand-in says by itself, as it is met without an account: nothing here has a directive."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from openai import OpenAI
from pydantic import BaseModel, Field

from demo.gateway import GatewayProcess
from tests.live.conftest import connect
from upstream_emulator.emulator import UpstreamEmulator


class Reading(BaseModel):
    kind: Literal["measured", "guessed"]
    degrees: float = Field(ge=-90, le=60)


class Weather(BaseModel):
    city: str = Field(min_length=2)
    code: str = Field(pattern="^[A-Z]{2}-[0-9]{4}$")
    readings: list[Reading] = Field(min_length=2)
    near: list[Weather]
    warning: str | None


ASK: Any = [{"role": "user", "content": "How warm is it?"}]
STRICT: Any = {
    "type": "function",
    "function": {"name": "report", "strict": True, "parameters": Weather.model_json_schema()},
}
LOOK: Any = {"type": "function", "function": {"name": "look"}}
FREE: Any = {"type": "custom", "custom": {"name": "free"}}


def count_questions(upstream: UpstreamEmulator) -> int:
    return sum(sent["path"].endswith("assistant/stream") for sent in upstream.requests())


def check(weather: Weather | None) -> None:
    assert weather is not None
    assert (weather.city, weather.warning) == ("example", "example")
    assert [reading.kind for reading in weather.readings] == ["measured", "guessed"]


def test_typed_output_of_chat_completions(client: OpenAI, upstream: UpstreamEmulator) -> None:
    completion = client.chat.completions.parse(model="glm", messages=ASK, response_format=Weather)
    check(completion.choices[0].message.parsed)
    with client.chat.completions.stream(model="glm", messages=ASK, response_format=Weather) as events:
        check(events.get_final_completion().choices[0].message.parsed)
    assert count_questions(upstream) == 2


def test_typed_output_of_responses(client: OpenAI, upstream: UpstreamEmulator) -> None:
    check(client.responses.parse(model="glm", input="How warm is it?", text_format=Weather).output_parsed)
    assert count_questions(upstream) == 1


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "report"}}])
def test_a_forced_call(client: OpenAI, upstream: UpstreamEmulator, choice: Any) -> None:
    create: Any = client.chat.completions.create
    (made,) = create(model="glm", messages=ASK, tools=[STRICT], tool_choice=choice).choices
    (call,) = made.message.tool_calls
    assert (call.function.name, made.finish_reason) == ("report", "tool_calls")
    check(Weather.model_validate_json(call.function.arguments))
    assert count_questions(upstream) == 1


def test_forced_calls_one_after_the_other(client: OpenAI, upstream: UpstreamEmulator) -> None:
    create: Any = client.chat.completions.create
    messages, tools, called = list(ASK), [LOOK, FREE, STRICT], []
    for _ in tools:
        (made,) = create(model="glm", messages=messages, tools=tools, tool_choice="required").choices
        (call,) = made.message.tool_calls
        result = {"role": "tool", "tool_call_id": call.id, "content": "done"}
        messages += [made.message.model_dump(exclude_none=True), result]
        called.append(call)
    look, free, report = called
    assert (look.function.name, look.function.arguments) == ("look", "{}")
    assert (free.custom.name, free.custom.input) == ("free", "example")
    check(Weather.model_validate_json(report.function.arguments))
    assert count_questions(upstream) == 3


def test_a_forced_tool_of_messages(gateway: GatewayProcess, account: str) -> None:
    with connect(gateway, account) as client:
        tool = {"name": "report", "input_schema": Weather.model_json_schema()}
        body = {
            "model": "glm",
            "max_tokens": 999,
            "messages": ASK,
            "tools": [tool],
            "tool_choice": {"type": "any"},
        }
        answer: Any = client.post("/messages", body=body, cast_to=object)
    (block,) = answer["content"]
    assert (block["type"], block["name"]) == ("tool_use", "report")
    check(Weather.model_validate_json(json.dumps(block["input"])))
