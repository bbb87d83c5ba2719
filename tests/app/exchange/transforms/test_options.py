"""The transforms of a request together: which there are, in which order, and what passes all of them."""

from __future__ import annotations

import pytest

from app.core.event import CitedText, ReasoningDelta, ReplyEvent, ReplyFinished, ReplyStarted, TextDelta
from app.core.usage import TokenEstimate
from app.exchange.transforms.options import UNCHANGED, OutputOptions
from tests.app.exchange.transforms.applied import LINK, PICTURE, STOPPED, apply

EACH = [
    OutputOptions(reasoning="tags"),
    OutputOptions(reasoning="hidden"),
    OutputOptions(hides_citations=True),
    OutputOptions(stop=("never",)),
    OutputOptions(max_tokens=1000),
    OutputOptions("tags", hides_citations=True, stop=("never",), max_tokens=1000),
]


@pytest.mark.parametrize("options", [UNCHANGED, *EACH])
def test_what_a_wish_does_not_concern_passes_as_it_is(options: OutputOptions) -> None:
    events: list[ReplyEvent] = [ReplyStarted("c"), TextDelta("a"), PICTURE, STOPPED]
    assert apply(options, [[event] for event in events]) == events
    assert apply(options, [events]) == events


@pytest.mark.parametrize("options", EACH)
def test_every_wish_is_one_transform_and_made_anew_for_every_reply(options: OutputOptions) -> None:
    first, second = (options.build_transforms(TokenEstimate()) for _ in range(2))
    assert [type(transform) for transform in first] == [type(transform) for transform in second]
    assert not {id(transform) for transform in first} & {id(transform) for transform in second}
    wishes = (options.hides_citations, options.reasoning != "content", options.stop, options.max_tokens)
    assert len(first) == sum(map(bool, wishes))
    assert UNCHANGED.build_transforms(TokenEstimate()) == []


def test_what_is_left_out_stops_nothing_and_what_is_added_is_not_searched() -> None:
    """Stop sequences are looked for in what the model says and the client sees."""
    cited = CitedText("END", "http://a.b", "a")
    hides = OutputOptions(hides_citations=True, stop=("END",))
    assert apply(hides, [[TextDelta("a"), cited], [STOPPED]]) == [TextDelta("a"), STOPPED]
    tags = OutputOptions(reasoning="tags", stop=("think",))
    said = apply(tags, [[ReasoningDelta("hm")], [TextDelta("a"), LINK], [STOPPED]])
    assert said[-1] == STOPPED
    assert LINK in said


def test_tags_count_for_the_length() -> None:
    """It is the last one: what the client gets is what may be so long."""
    options = OutputOptions(reasoning="tags", max_tokens=5)
    said = apply(options, [[ReasoningDelta("一二三")], [TextDelta("四五六")], [STOPPED]])
    assert said[-1] == ReplyFinished("length")
