"""The events of an answer in their order and shape, by examples."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.responses import Response

from app.core.errors import UpstreamThrottled
from app.core.event import (
    CitedText,
    Page,
    PagesFound,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    TextDelta,
    ToolCalled,
)
from tests.app.formats.openai_responses.reading import RESPONSE_ID, Json, encode, fold, hear, split

KEY = RESPONSE_ID.removeprefix("resp_")
STOP = ReplyFinished("stop")
FOUND = PagesFound(("weather", "rain"), (Page("https://a.example/b", "B"),))
LINK = CitedText("[1](https://a.example/b)", "https://a.example/b", "B")


def kinds(*events: ReplyEvent, **fields: Any) -> list[str]:
    heard = hear(encode([events], **fields))
    return [kind.removeprefix("response.") for kind in heard.kinds]


def items(*events: ReplyEvent) -> list[Json]:
    listed: list[Json] = fold(events)["output"]
    return listed


def test_a_text() -> None:
    assert kinds(TextDelta("Hi."), STOP) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


def test_thinking_is_a_summary_before_the_text() -> None:
    told = kinds(ReasoningDelta("Hm"), ReasoningDelta("m."), TextDelta("Hi."), STOP)
    assert told[2:10] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
    ]
    thought, message = items(ReasoningDelta("Hm"), ReasoningDelta("m."), TextDelta("Hi."), STOP)
    assert thought == {
        "type": "reasoning",
        "id": f"rs_{KEY}_0",
        "summary": [{"type": "summary_text", "text": "Hmm."}],
    }
    assert (message["id"], message["status"]) == (f"msg_{KEY}_1", "completed")


def test_what_comes_in_the_middle_of_a_text_is_told_behind_it() -> None:
    """An answer is one message: some clients take the last one for the whole."""
    said = (TextDelta("One. "), ReasoningDelta("Hm."), FOUND, ReasoningDelta("Ah."), TextDelta("Two."), STOP)
    assert [item["type"] for item in items(*said)] == ["message", "reasoning", "web_search_call", "reasoning"]
    deltas = [event["delta"] for event in split(encode([said])) if event["type"].endswith("text.delta")]
    assert deltas == ["One. ", "Two.", "Hm.", "Ah."]


def test_thinking_that_had_to_wait_is_told_at_once() -> None:
    """However many pieces it came in: all of them would be written in one go."""
    first, then = [ReasoningDelta("Hm. ")] * 500, [ReasoningDelta("Ah. ")] * 500
    said: list[ReplyEvent] = [TextDelta("One."), *first, FOUND, *then, STOP]
    deltas = [event["delta"] for event in split(encode([said])) if event["type"].endswith("text.delta")]
    assert deltas == ["One.", "Hm. " * 500, "Ah. " * 500]


def test_calls_come_in_the_kind_of_their_tool() -> None:
    calls = (
        ToolCalled("call_1", "read", '{"path":"a"}'),
        ToolCalled("call_2", "apply_patch", "*** Begin", "custom"),
        ToolCalled("call_3", "list", "{}", namespace="mcp__notes"),
    )
    told = kinds(*calls, ReplyFinished("tool_calls"))
    assert told[2:10] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    assert items(*calls, ReplyFinished("tool_calls")) == [
        {
            "type": "function_call",
            "id": f"fc_{KEY}_0",
            "call_id": "call_1",
            "name": "read",
            "arguments": '{"path":"a"}',
            "status": "completed",
        },
        {
            "type": "custom_tool_call",
            "id": f"ctc_{KEY}_1",
            "call_id": "call_2",
            "name": "apply_patch",
            "input": "*** Begin",
            "status": "completed",
        },
        {
            "type": "function_call",
            "id": f"fc_{KEY}_2",
            "call_id": "call_3",
            "name": "list",
            "namespace": "mcp__notes",
            "arguments": "{}",
            "status": "completed",
        },
    ]


def test_a_search_and_what_the_text_cites_of_it() -> None:
    search, message = items(FOUND, TextDelta("Rain 😀"), LINK, TextDelta("."), STOP)
    assert search == {
        "type": "web_search_call",
        "id": f"ws_{KEY}_0",
        "status": "completed",
        "action": {
            "type": "search",
            "query": "weather; rain",
            "queries": ["weather", "rain"],
            "sources": [{"type": "url", "url": "https://a.example/b"}],
        },
    }
    (part,) = message["content"]
    (cited,) = part["annotations"]
    assert part["text"][cited["start_index"] : cited["end_index"]] == LINK.text
    assert (cited["type"], cited["url"], cited["title"]) == ("url_citation", LINK.url, "B")
    told = kinds(FOUND, TextDelta("Rain 😀"), LINK, STOP)
    assert told[2:7] == [
        "output_item.added",
        "web_search_call.in_progress",
        "web_search_call.searching",
        "web_search_call.completed",
        "output_item.done",
    ]
    assert told[9:12] == ["output_text.delta", "output_text.delta", "output_text.annotation.added"]


@pytest.mark.parametrize(
    ("reason", "status", "cause", "message_status"),
    [
        ("stop", "completed", None, "completed"),
        ("length", "incomplete", "max_output_tokens", "incomplete"),
        ("content_filter", "incomplete", "content_filter", "incomplete"),
    ],
)
def test_how_an_answer_ends(reason: Any, status: str, cause: str | None, message_status: str) -> None:
    response = hear(encode([[TextDelta("Hi."), ReplyFinished(reason)]])).response
    assert (response["status"], response["error"]) == (status, None)
    assert response["incomplete_details"] == ({"reason": cause} if cause else None)
    assert response["output"][0]["status"] == message_status


def test_a_failure_names_its_code_and_keeps_what_is_whole() -> None:
    error = UpstreamThrottled("Slow down.", retry_after_seconds=30)
    heard = hear(encode([[ReasoningDelta("Hm."), TextDelta("Half a")]], error))
    assert heard.kinds[-1] == "response.failed"
    assert heard.response["error"]["code"] == "upstream_throttled"
    assert heard.response["error"]["message"].startswith("Slow down. Try again in 30 s.")
    assert [item["type"] for item in heard.items] == ["reasoning"]


def test_a_heartbeat_is_an_event_that_changes_nothing() -> None:
    heard = hear(encode([[TextDelta("a")], [TextDelta("b")], [STOP]], heartbeats=True))
    assert heard.kinds.count("response.in_progress") == 3
    assert heard.text == "ab"


REQUEST: dict[str, Any] = {
    "instructions": "Be brief. " * 1000,
    "metadata": {"job": "7"},
    "max_output_tokens": 900,
    "parallel_tool_calls": False,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "temperature": 0.5,
    "text": {
        "format": {"type": "json_schema", "name": "w", "schema": {"type": "object"}},
        "verbosity": "low",
    },
    "tools": [{"type": "function", "name": "read", "parameters": {"type": "object"}}],
    "tool_choice": {"type": "function", "name": "read"},
    "top_p": 0.9,
    "truncation": "auto",
}


def test_the_object_is_whole_and_repeats_what_is_small() -> None:
    response = fold([TextDelta("{}"), STOP], **REQUEST)
    assert Response.model_validate(response | {"text": None}, strict=False).id == RESPONSE_ID
    text = {"format": {"type": "json_schema", "name": "w"}, "verbosity": "low"}
    repeated = REQUEST | {"instructions": None, "tools": [], "text": text}
    assert {key: response[key] for key in REQUEST} == repeated
    assert len(json.dumps(response)) < 2000


def test_without_a_word_the_object_says_what_holds() -> None:
    response = fold([TextDelta("Hi."), STOP])
    told = {key: response[key] for key in ("tools", "tool_choice", "store", "metadata", "truncation")}
    assert told == {
        "tools": [],
        "tool_choice": "auto",
        "store": True,
        "metadata": {},
        "truncation": "disabled",
    }
    Response.model_validate(response, strict=False)
