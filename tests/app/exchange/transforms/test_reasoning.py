"""Thinking in tags, or hidden."""

from __future__ import annotations

import pytest

from app.core.errors import EmptyAnswer
from app.core.event import (
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    TextDelta,
)
from app.core.usage import TokenEstimate, estimate_tokens
from app.exchange.transforms.options import OutputOptions
from tests.app.exchange.transforms.applied import LINK, PICTURE, STOPPED, apply, read


def test_thinking_in_tags() -> None:
    batches: list[list[ReplyEvent]] = [
        [ReplyStarted("c"), ReasoningDelta("一")],
        [ReasoningDelta("二"), TextDelta("甲")],
        [TextDelta("乙"), ReasoningDelta("\n\n三")],
        [TextDelta("\n\n丙"), LINK, ReasoningDelta("四")],
        [PICTURE, ReasoningDelta("五")],
        [STOPPED],
    ]
    assert read(apply(OutputOptions(reasoning="tags"), batches)) == (
        "<think>\n一二\n</think>\n\n甲乙\n\n<think>\n三\n</think>\n\n丙[1](http://a.b)"
        "\n\n<think>\n四\n</think>\n\n\n\n![image](http://a.b)\n\n<think>\n五\n</think>",
        "stop",
    )


def test_a_link_after_thinking_is_parted_once() -> None:
    batches: list[list[ReplyEvent]] = [[ReasoningDelta("一"), TextDelta("\n\n"), LINK, STOPPED]]
    assert (
        read(apply(OutputOptions(reasoning="tags"), batches))[0] == "<think>\n一\n</think>\n\n[1](http://a.b)"
    )


def test_hidden_thinking_is_counted() -> None:
    hidden = TokenEstimate()
    batches: list[list[ReplyEvent]] = [[ReasoningDelta("想想")], [TextDelta("好"), STOPPED]]
    assert apply(OutputOptions(reasoning="hidden"), batches, hidden) == [TextDelta("好"), STOPPED]
    assert hidden.tokens == estimate_tokens("想想")


@pytest.mark.parametrize("stop", [(), ("x",)])
def test_hidden_thinking_alone_is_no_answer(stop: tuple[str, ...]) -> None:
    with pytest.raises(EmptyAnswer):
        apply(OutputOptions(reasoning="hidden", stop=stop), [[ReasoningDelta("想")], [STOPPED]])
    filtered = ReplyFinished("content_filter")
    assert apply(OutputOptions(reasoning="hidden"), [[ReasoningDelta("想")], [filtered]]) == [filtered]


def test_a_stop_sequence_at_the_very_beginning_is_an_answer() -> None:
    options = OutputOptions(reasoning="hidden", stop=("x",))
    assert apply(options, [[ReasoningDelta("想")], [TextDelta("xy")]]) == [ReplyFinished("stop", "x")]
