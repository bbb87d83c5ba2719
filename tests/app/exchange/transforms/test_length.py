"""The length of an answer in estimated tokens."""

from __future__ import annotations

import pytest

from app.core.event import (
    CitedText,
    ImageAdded,
    ReasoningDelta,
    ReplyFinished,
    TextDelta,
)
from app.core.usage import TokenEstimate, estimate_tokens
from app.exchange.transforms.options import OutputOptions
from tests.app.exchange.transforms.applied import LINK, PICTURE, STOPPED, apply, read, say


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 13, 100])
@pytest.mark.parametrize("size", [1, 3, 50])
def test_an_answer_is_cut_at_its_length(limit: int, size: int) -> None:
    whole = "春天的早晨，sunlight on the lake. " * 4
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    text, reason = read(apply(OutputOptions(max_tokens=limit), say(*pieces)))
    assert whole.startswith(text)
    assert estimate_tokens(text) <= limit
    is_cut = estimate_tokens(whole) > limit
    assert reason == ("length" if is_cut else "stop")
    assert not is_cut or estimate_tokens(whole[: len(text) + 1]) > limit


def test_thinking_counts_for_the_length() -> None:
    thought = ReasoningDelta("想" * 50)
    shown = apply(OutputOptions(max_tokens=10), [[thought], [TextDelta("好")], [STOPPED]])
    assert isinstance(shown[0], ReasoningDelta)
    assert 0 < len(shown[0].text) < 50
    assert shown[1:] == [ReplyFinished("length")]
    hidden = TokenEstimate()
    options = OutputOptions(reasoning="hidden", max_tokens=10)
    assert apply(options, [[thought], [TextDelta("好")]], hidden) == [ReplyFinished("length")]
    assert hidden.tokens > 10


@pytest.mark.parametrize("event", [LINK, PICTURE])
def test_half_a_link_is_nothing(event: CitedText | ImageAdded) -> None:
    events = apply(OutputOptions(max_tokens=3), [[TextDelta("a"), event], [STOPPED]])
    assert events == [TextDelta("a"), ReplyFinished("length")]


def test_a_length_that_is_just_reached_is_no_cut() -> None:
    text = "hello world"
    assert read(apply(OutputOptions(max_tokens=estimate_tokens(text)), say(text))) == (text, "stop")
