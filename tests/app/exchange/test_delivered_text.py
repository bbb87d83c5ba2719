"""What counts as delivered word for word."""

from __future__ import annotations

import pytest

from app.core.event import (
    CitedText,
    FinishReason,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    TextDelta,
    ThoughtText,
    ToolCalled,
)
from app.exchange.delivered_text import MAX_CHARS, DeliveredText

STOP = ReplyFinished("stop")


def hear(*events: ReplyEvent, is_cut_short: bool = False, is_held: bool = False) -> tuple[list[str], bool]:
    noted: list[str] = []
    delivered = DeliveredText(lambda text, _, turn: noted.append(f"{text} {turn}"), is_held=is_held)
    for event in events:
        delivered.add([event])
    if isinstance(events[-1], ReplyFinished):
        delivered.end(events[-1], 3, is_cut_short=is_cut_short)
    return noted, delivered.keeps


def test_a_whole_answer_is_noted() -> None:
    events: list[ReplyEvent] = [
        TextDelta("a"),
        ReasoningDelta("hm"),
        CitedText("[1](u)", "u", "t"),
        TextDelta("b"),
        STOP,
    ]
    assert hear(*events) == (["ab 3"], True)


@pytest.mark.parametrize(
    "events",
    [
        [TextDelta("a")],
        [TextDelta(" \n"), STOP],
        [STOP],
        [TextDelta("a"), ToolCalled("1", "f", "{}"), STOP],
        [TextDelta("x" * (MAX_CHARS + 1)), STOP],
        [TextDelta("x" * MAX_CHARS), TextDelta("x"), STOP],
    ],
)
@pytest.mark.parametrize("is_held", [True, False])
def test_what_is_no_whole_answer_is_not(events: list[ReplyEvent], *, is_held: bool) -> None:
    assert hear(*events, is_held=is_held) == ([], is_held)


@pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls"])
def test_other_ends_are_not_good(reason: FinishReason) -> None:
    assert hear(TextDelta("a"), ReplyFinished(reason)) == ([], False)


def test_what_the_upstream_said_beyond_is_not_known_to_the_client() -> None:
    assert hear(TextDelta("a"), STOP, is_cut_short=True) == ([], False)
    assert hear(TextDelta("a"), ReplyFinished("stop", "b")) == ([], False)


THOUGHTS: list[tuple[list[ReplyEvent], str]] = [
    ([ReasoningDelta("hm"), ReasoningDelta("m"), TextDelta("a"), TextDelta("b")], "\nhmm\nab"),
    ([TextDelta("a"), ReasoningDelta("hm"), TextDelta("b")], "a\nhm\nb"),
    ([TextDelta("ab")], "ab"),
    ([ThoughtText("<think>\nhm"), ThoughtText("\n</think>\n\n"), TextDelta("ab")], "\n\nhm\n\n\n\nab"),
    ([ReasoningDelta("x" * MAX_CHARS), ReasoningDelta("x" * MAX_CHARS), TextDelta("ab")], "ab"),
    ([TextDelta("ab"), ReasoningDelta("x" * 3 * MAX_CHARS)], "ab"),
]


@pytest.mark.parametrize(("events", "told"), THOUGHTS)
def test_thoughts_are_noted_beside_the_answer(events: list[ReplyEvent], told: str) -> None:
    """Of very long ones nothing is, and the answer stands for both."""
    noted: list[tuple[str, str]] = []
    delivered = DeliveredText(lambda text, told, _: noted.append((text, told)), is_held=False)
    delivered.add([*events, STOP])
    delivered.end(STOP, 3, is_cut_short=False)
    assert noted == [("ab", told)]
