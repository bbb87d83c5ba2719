"""Calls in a piece that is as long as a whole answer: others get their turn while it is read."""

from __future__ import annotations

import pytest

from app.core.event import CitedText, ReplyEvent, TextDelta, ToolCalled
from app.core.tool import Tool, ToolChoice
from app.exchange.transforms.calls import CallOptions, ReadCalls
from app.metrics.counters import Counters
from app.tools.dialect import Dialect
from app.tools.name import Names
from tests.app.upstream.hostile import LoopWatch

CALL = '<call-k3x9 name="now">{}</call-k3x9>'


def read(*events: ReplyEvent) -> tuple[list[ReplyEvent], int]:
    """What passes, and how often others had their turn."""
    options = CallOptions(Dialect("k3x9"), Names([Tool("now")]), ToolChoice(), "", Counters())
    with LoopWatch(pause_seconds=0.0) as watch:
        passed = ReadCalls(options).apply(list(events))
    return passed, watch.turns


def join(events: list[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def test_others_get_their_turn() -> None:
    """Fences are what costs most: a million characters of them take a second."""
    text = "```\n" * 250_000
    passed, turns = read(TextDelta(text))
    assert join(passed) == text
    assert turns > 25


def test_a_text_without_anything_like_a_call_passes_as_it_is() -> None:
    event = TextDelta("word " * 100_000)
    passed, _ = read(event)
    assert passed == [event]


@pytest.mark.parametrize("place", range(32_768 - len(CALL), 32_768 + 1, 5))
def test_a_call_is_found_wherever_it_stands(place: int) -> None:
    passed, _ = read(TextDelta("x" * place + CALL + " and more" * 20_000))
    assert join(passed) == "x" * place
    assert [event.name for event in passed if isinstance(event, ToolCalled)] == ["now"]


def test_a_link_stays_whole() -> None:
    link = CitedText("<" + "x" * 40_000, "https://host/", "title")
    passed, _ = read(link)
    assert passed == [link]
