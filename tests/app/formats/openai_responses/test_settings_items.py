"""Items that say nothing, but what the request offers and how it shall be answered."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import InvalidRequest
from app.core.request import Question, TextPart, Turn
from app.core.tool import JsonOutput, SearchTool
from tests.app.formats.openai_responses.reading import parse

HI = {"role": "user", "content": "hi"}
READ = {"type": "function", "name": "read", "parameters": {"type": "object"}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
AS_JSON = {"format": {"type": "json_schema", "name": "p", "schema": SCHEMA}}


def add(*tools: Any, kind: str = "additional_tools") -> dict[str, Any]:
    return {"type": kind, "role": "developer", "tools": list(tools)}


def update(**fields: Any) -> dict[str, Any]:
    return {"type": "configuration_update"} | fields


def ask(*items: Any, **fields: Any) -> Question:
    question = parse(input=[*items, HI], **fields).question
    assert question.turns == (Turn("user", (TextPart("hi"),)),)
    return question


@pytest.mark.parametrize("kind", ["additional_tools", "tool_search_output"])
def test_tools_of_items_are_offered_beside_those_of_the_request(kind: str) -> None:
    more = [READ | {"name": "write"}, {"type": "shell"}, {"type": "mcp"}, {"type": "web_search"}]
    question = ask(add(*more, kind=kind), add(kind=kind), tools=[READ])
    assert [(tool.name, tool.place) for tool in question.tools] == [
        ("read", "tools.0"),
        ("write", "input.0.tools.0"),
        ("shell", "input.0.tools.1"),
    ]
    assert question.search_tool == SearchTool()


def test_a_tool_of_an_item_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidRequest) as raised:
        ask(add(READ, {"type": "function"}))
    assert raised.value.param == "input.0.tools.1.name"


def test_no_more_tools_are_added_in_sum_than_a_request_may_hold() -> None:
    many = add(*[{"type": "mcp"}] * 5_000)
    ask(many, many)
    with pytest.raises(InvalidRequest) as raised:
        ask(many, many, add({"type": "mcp"}))
    assert raised.value.param == "input.2.tools"


def test_tools_before_a_reference_are_still_offered() -> None:
    reference = {"type": "item_reference", "id": "msg_a_1_0"}
    assert [tool.name for tool in ask(add(READ), reference).tools] == ["read"]


def test_the_last_update_counts_before_the_request() -> None:
    question = ask(
        update(reasoning={"effort": "low"}, text=AS_JSON),
        update(reasoning={"effort": "high"}),
        update(),
        reasoning={"effort": "none"},
        text={"format": {"type": "text"}},
    )
    assert (question.effort, question.json_output) == (
        "high",
        JsonOutput(SCHEMA, "input.0.text.format.schema"),
    )
    plain = ask(update(text={"format": {"type": "text"}}), text=AS_JSON, reasoning={"effort": "low"})
    assert (plain.effort, plain.json_output) == ("low", None)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"reasoning": {"effort": "herculean"}}, "input.0.reasoning.effort"),
        ({"text": {"format": {"type": "grammar"}}}, "input.0.text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "input.0.text.format.schema"),
    ],
)
def test_an_update_that_cannot_be_followed_is_refused(fields: Any, place: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        ask(update(**fields))
    assert raised.value.param == place
