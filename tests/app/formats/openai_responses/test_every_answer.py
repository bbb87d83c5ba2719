"""Every answer that the tests know, as a stream and as one body: one end, no gaps, and both the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import CutAnswer, GatewayError
from app.core.event import (
    CitedText,
    ImageAdded,
    Page,
    PagesFound,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    TextDelta,
    ThoughtText,
    ToolCalled,
    UpstreamCall,
)
from app.core.tool import ANY_CHOICE
from app.core.usage import TokenEstimate
from app.exchange.transforms.calls import CallOptions
from app.exchange.transforms.options import OutputOptions
from app.metrics.counters import Counters
from app.tools.name import Names
from tests.app.formats.openai_responses.reading import (
    Heard,
    encode,
    fold,
    hear,
    join_thinking,
)
from tests.app.tools.detecting import DIALECT, TOOLS
from tests.app.tools.test_detector import FOREIGN, OWN
from tests.app.upstream.pipeline import answer, play
from tests.fixture_table import Fixture, load_fixtures

CUT = CutAnswer("The upstream's answer ended before it was finished.")


def one_by_one(events: Iterable[ReplyEvent]) -> list[list[ReplyEvent]]:
    return [[event] for event in events]


def check_both(events: Sequence[ReplyEvent]) -> Heard:
    """Streamed, in one piece and in many with heartbeats between, and whole: all say the same."""
    heard = hear(encode([events]))
    assert hear(encode(one_by_one(events), heartbeats=True)).response == heard.response
    assert fold(events) == heard.response
    return heard


@pytest.mark.parametrize("fixture", load_fixtures(), ids=str)
def test_every_upstream_stream(fixture: Fixture) -> None:
    played, expected = play([fixture.data]), answer([fixture.data])
    if played.error is not None:
        heard = hear(encode(one_by_one(played.events), CUT, heartbeats=True))
        assert (heard.response["status"], heard.response["error"]["code"]) == ("failed", "answer_cut")
        assert heard.response["usage"] is None
        return
    heard = check_both(played.events)
    assert (heard.text, join_thinking(heard.items)) == (expected.text, expected.reasoning)
    assert len([item for item in heard.items if item["type"] == "message"]) <= 1
    finish = {"stop": "completed", "content_filter": "incomplete"}
    assert heard.response["status"] == finish[str(expected.finish)]


def read_calls(text: str) -> list[ReplyEvent]:
    """What the transforms make of an answer that the upstream says so, a few characters at a time."""
    options = OutputOptions(calls=CallOptions(DIALECT, Names(TOOLS), ANY_CHOICE, "", Counters()))
    (transform,) = options.build_transforms(TokenEstimate())
    pieces = [TextDelta(text[place : place + 7]) for place in range(0, len(text), 7)]
    passed: list[ReplyEvent] = []
    said: list[ReplyEvent] = [ReasoningDelta("Hm."), *pieces, ReplyFinished("stop")]
    for event in said:
        passed += transform.apply([event])
        if passed and isinstance(passed[-1], ReplyFinished):
            break
    return passed


TOOL_ANSWERS = {**OWN, **FOREIGN}


@pytest.mark.parametrize("name", TOOL_ANSWERS)
def test_every_way_to_call(name: str) -> None:
    text, expected = TOOL_ANSWERS[name]
    events = read_calls(text)
    if not events or not isinstance(events[-1], ReplyFinished):
        hear(encode(one_by_one(events), CUT))
        return
    heard = check_both(events)
    calls = [item for item in heard.items if item["type"] in ("function_call", "custom_tool_call")]
    assert tuple((call["name"], call.get("arguments", call.get("input"))) for call in calls) == expected.calls
    assert heard.text == expected.text
    assert heard.response["status"] == "completed"
    assert all(call["call_id"].startswith("call_") for call in calls)


_words = st.text(st.characters(codec="utf-8") | st.sampled_from("\u2028\u0085\ud83d"), min_size=1, max_size=9)
_said: st.SearchStrategy[ReplyEvent] = st.one_of(
    st.builds(TextDelta, _words),
    st.builds(ReasoningDelta, _words),
    st.builds(ThoughtText, _words),
    st.builds(CitedText, _words, st.just("https://a.example/b"), _words),
    st.builds(ImageAdded, _words, st.just("https://a.example/b.png")),
    st.builds(UpstreamCall, _words, _words),
    st.builds(PagesFound, st.tuples(_words), st.just((Page("https://a.example/b", "B"),))),
)
_sendable = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)
_called = st.builds(
    ToolCalled,
    st.uuids().map(str),
    _sendable,
    _sendable,
    st.sampled_from(["function", "custom"]),
    st.none() | _sendable,
)
_ends = st.sampled_from(["stop", "length", "content_filter", "tool_calls"]).map(ReplyFinished)  # type: ignore[arg-type]


@settings(max_examples=150)
@given(st.lists(_said, max_size=12), st.lists(_called, max_size=3), _ends)
def test_whatever_comes_is_told_in_order(said: list[Any], calls: list[Any], end: ReplyFinished) -> None:
    heard = check_both([*said, *calls, end])
    spoken = [
        event.text for event in said if isinstance(event, TextDelta | CitedText | ImageAdded | ThoughtText)
    ]
    thought = [event.text for event in said if isinstance(event, ReasoningDelta)]
    assert heard.text == sendable("".join(spoken))
    assert join_thinking(heard.items) == sendable("".join(thought))
    assert len([item for item in heard.items if item["type"] == "web_search_call"]) == sum(
        isinstance(event, PagesFound) for event in said
    )
    assert [item["call_id"] for item in heard.items if "call_id" in item] == [call.id for call in calls]
    usage = heard.response["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@settings(max_examples=50)
@given(st.lists(_said, max_size=12), st.lists(_called, max_size=3))
def test_whatever_fails_ends_once(said: list[Any], calls: list[Any]) -> None:
    heard = hear(encode(one_by_one([*said, *calls]), GatewayError("no"), heartbeats=True))
    assert (heard.response["status"], heard.response["error"]["code"]) == ("failed", "internal_error")
    assert all(item.get("status", "completed") == "completed" for item in heard.items)
    assert len([item for item in heard.items if "call_id" in item]) == len(calls)


def sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
