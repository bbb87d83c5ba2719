"""Every fixture, in every cutting, through the pure core (tests/fixtures/README.md)."""

from __future__ import annotations

from random import Random

import pytest

from app.core.event import CitedText, ImageAdded, ReasoningDelta, ReplyFinished, ReplyStarted, TextDelta
from app.upstream.frames import parse_frame
from app.upstream.reducer import Reducer
from app.upstream.sse import EventDecoder
from tests.app.upstream.pipeline import Answer, answer, play
from tests.fixture_table import Fixture, cuttings, load_fixtures

FIXTURES = load_fixtures()


def expected_answer(fixture: Fixture) -> Answer:
    return Answer(fixture.conversation_id, fixture.text, fixture.reasoning, fixture.finish, fixture.error)


@pytest.mark.parametrize("fixture", FIXTURES, ids=str)
def test_fixture_gives_the_expected_answer(fixture: Fixture) -> None:
    assert answer([fixture.data]) == expected_answer(fixture)


@pytest.mark.parametrize("fixture", FIXTURES, ids=str)
def test_cutting_changes_nothing(fixture: Fixture) -> None:
    whole = play([fixture.data])
    for pieces in cuttings(fixture.data, Random(fixture.name)):
        assert play(pieces) == whole


@pytest.mark.parametrize("fixture", [f for f in FIXTURES if f.finish], ids=str)
def test_nothing_is_said_after_the_end(fixture: Fixture) -> None:
    reducer = Reducer()
    frames = []
    for data in EventDecoder().feed(fixture.data):
        if not reducer.finished:
            frames.append(parse_frame(data))
            reducer.reduce(frames[-1])
    assert reducer.finished
    assert [event for frame in frames for event in reducer.reduce(frame)] == []


@pytest.mark.parametrize("fixture", FIXTURES, ids=str)
def test_events_come_in_order_and_hold_something(fixture: Fixture) -> None:
    events = play([fixture.data]).events
    started = [index for index, event in enumerate(events) if isinstance(event, ReplyStarted)]
    finished = [index for index, event in enumerate(events) if isinstance(event, ReplyFinished)]
    assert len(started) <= 1
    assert finished in ([], [len(events) - 1])
    for event in events:
        if isinstance(event, TextDelta | CitedText | ImageAdded | ReasoningDelta):
            assert event.text
            event.text.encode("utf-8")
