"""Stop sequences: the text ends before the first one, and no part of one is ever shown."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.event import (
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    TextDelta,
)
from app.exchange.transforms.options import OutputOptions
from tests.app.exchange.transforms.applied import LINK, STOPPED, apply, read, say


@pytest.mark.parametrize(
    ("stop", "pieces", "text"),
    [
        (["END"], ["abcEN", "Dxyz"], "abc"),
        (["END"], ["a", "E", "N", "Q"], "aENQ"),
        (["END"], ["END"], ""),
        (["END"], ["EE", "END"], "EE"),
        (["END"], ["abcEN"], "abcEN"),
        (["b", "abc"], ["xabc"], "xa"),
        (["bc", "abcd"], ["xab", "cd"], "xa"),
        (["\n\n"], ["a\n", "b\n", "\nc"], "a\nb"),
        (["。"], ["你好。", "再见"], "你好"),
        (["aab"], ["aaaab"], "aa"),
        (["never"], ["a", "b"], "ab"),
    ],
)
def test_stop_sequences(stop: list[str], pieces: list[str], text: str) -> None:
    assert read(apply(OutputOptions(stop=tuple(stop)), say(*pieces))) == (text, "stop")


def test_the_end_names_the_sequence_that_was_first() -> None:
    for stop, pieces, sequence in [
        (["END", "b"], ["aE", "ND"], "END"),
        (["bc", "abcd"], ["xab", "cd"], "bc"),
        (["never"], ["a"], None),
    ]:
        finish = apply(OutputOptions(stop=tuple(stop)), say(*pieces))[-1]
        assert finish == ReplyFinished("stop", sequence)


short = st.text(alphabet="ab。", max_size=12)


@given(st.lists(short, max_size=6), st.lists(short.filter(bool), min_size=1, max_size=4))
def test_no_part_of_a_stop_sequence_is_ever_shown(pieces: list[str], stop: list[str]) -> None:
    whole = "".join(pieces)
    ends = [(n, s) for n in range(len(whole) + 1) for s in stop if whole[:n].endswith(s)]
    end, sequence = min(ends, key=lambda found: (found[0], -len(found[1])), default=(len(whole), ""))
    events = apply(OutputOptions(stop=tuple(stop)), say(*filter(None, pieces)))
    assert read(events)[0] == whole[: end - len(sequence)]


@given(short, st.lists(short.filter(bool), min_size=1, max_size=4))
def test_only_what_may_begin_a_sequence_waits(text: str, stop: list[str]) -> None:
    assume(not any(sequence in text for sequence in stop))
    events = apply(OutputOptions(stop=tuple(stop)), [[TextDelta(text)]] if text else [])
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    held = text.removeprefix(shown)
    assert shown + held == text
    assert not held or any(sequence.startswith(held) for sequence in stop)
    longer = range(len(held) + 1, len(text) + 1)
    assert not any(sequence.startswith(text[len(text) - n :]) for n in longer for sequence in stop)


def test_a_link_is_shown_as_a_whole_or_as_text() -> None:
    batches: list[list[ReplyEvent]] = [[TextDelta("a"), LINK, TextDelta("b")], [STOPPED]]
    assert apply(OutputOptions(stop=("zz",)), batches) == [TextDelta("a"), LINK, TextDelta("b"), STOPPED]
    assert apply(OutputOptions(stop=(")bc",)), batches) == [TextDelta("a"), LINK, TextDelta("b"), STOPPED]
    assert apply(OutputOptions(stop=("](",)), batches) == [
        TextDelta("a"),
        TextDelta("[1"),
        ReplyFinished("stop", "]("),
    ]
    assert apply(OutputOptions(stop=("a[",)), batches) == [ReplyFinished("stop", "a[")]


def test_thinking_is_not_searched_for_stop_sequences() -> None:
    events = apply(OutputOptions(stop=("b",)), [[ReasoningDelta("abc")], [TextDelta("xbx")]])
    assert events == [ReasoningDelta("abc"), TextDelta("x"), ReplyFinished("stop", "b")]
