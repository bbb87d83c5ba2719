"""What the friendly answer quotes, and what it says where a call or JSON is insisted on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.chat.offer import build_offer
from app.chat.prompt import build_prompt
from app.formats.openai_chat.asked import parse_chat
from app.tools.dialect import Dialect
from tests.upstream_emulator.client import Client
from upstream_emulator.transcript import last_words

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi there"}]
WEATHER: Any = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}, "more": {}},
    "required": ["city", "days"],
}
ASK = [{"role": "user", "content": "how warm?"}]
JSON_OBJECT = {"type": "json_object"}
JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "weather", "schema": WEATHER}}


def tool(name: str, parameters: Any = None) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def write_prompt(messages: Any, **more: Any) -> str:
    """As the gateway writes it."""
    question = parse_chat(json.dumps({"messages": messages, **more}).encode(), max_text_chars=10_000).question
    offer = build_offer(question, Dialect("ab12"))
    return build_prompt(question.turns, continues=False, max_chars=100_000, offer=offer)


@pytest.mark.parametrize(
    "turns", [TURNS[1:], TURNS, [*TURNS[1:], {"role": "assistant", "content": "x"}, TURNS[1]]]
)
@pytest.mark.parametrize("tools", [[], [TOOL]])
def test_the_user_is_quoted_not_the_prompt(turns: list[object], tools: list[object]) -> None:
    prompt = write_prompt(turns, tools=tools)
    assert last_words(prompt) == "hi there"


@pytest.mark.parametrize("more", [{}, {"tools": [TOOL]}, {"response_format": JSON_SCHEMA}])
def test_what_is_said_of_tools_and_json_is_not_the_users(more: Any) -> None:
    assert last_words(write_prompt(ASK, **more)) == "how warm?"


@pytest.mark.parametrize(
    ("asked", "response_format", "said"),
    [
        ("how warm?", JSON_SCHEMA, {"city": "example", "days": 2}),
        ("多少度？", JSON_SCHEMA, {"city": "示例", "days": 2}),
        ("how warm?", JSON_OBJECT, {"text": "Hello!"}),
        ("多少度？", JSON_OBJECT, {"text": "你好！"}),
        (f"how {{warm}}? {json.dumps(WEATHER, indent=1)} {{}}", JSON_OBJECT, {"city": "example", "days": 2}),
    ],
)
def test_json_is_an_example_of_its_schema(
    client: Client, asked: str, response_format: Any, said: Any
) -> None:
    prompt = write_prompt([{"role": "user", "content": asked}], response_format=response_format)
    assert json.loads(client.chat(prompt).text) == said


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "weather"}}])
def test_a_forced_call_brings_what_its_schema_requires(client: Client, choice: Any) -> None:
    prompt = write_prompt(ASK, tools=[tool("weather", WEATHER)], tool_choice=choice)
    written = '<call-ab12 name="weather">{"city": "example", "days": 2}</call-ab12>'
    assert client.chat(prompt).text == written


def test_forced_in_every_turn_the_functions_are_called_one_after_the_other(client: Client) -> None:
    tools = [tool("look"), tool("read", {"$ref": "#/$defs/a", "$defs": {"a": WEATHER}}), tool("final")]
    messages: list[Any] = [*ASK, {"role": "assistant", "content": "[Result of final #1]"}, *ASK]
    called = []
    for number in range(4):
        said = client.chat(write_prompt(messages, tools=tools, tool_choice="required")).text
        name = said.partition('name="')[2].partition('"')[0]
        called.append(said.partition(">")[2].partition("<")[0] + name)
        call = {"id": f"c{number}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        messages.append({"role": "assistant", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": "done"})
    assert called == ["{}look", '{"city": "example", "days": 2}read', "{}final", "{}final"]


@pytest.mark.parametrize("more", [{}, {"tools": [TOOL]}, {"tools": [TOOL], "tool_choice": "none"}])
def test_whoever_is_free_to_talk_talks(client: Client, more: Any) -> None:
    asked = "Hi.\nAnswer this turn with a poem."
    assert asked in client.chat(write_prompt([{"role": "user", "content": asked}], **more)).text
