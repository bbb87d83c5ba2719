"""The event decoder against the WHATWG text, in every cutting."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import OutOfRoom, UpstreamInvalid
from app.upstream import sse
from app.upstream.sse import EventDecoder, build_answer_budget
from tests.fixture_table import cuttings

CASES = [
    ("one event", b"data: a\n\n", [b"a"], True),
    ("no space", b"data:a\n\n", [b"a"], True),
    ("only one space goes", b"data:  a\n\n", [b" a"], True),
    ("several lines", b"data: a\ndata: b\n\n", [b"a\nb"], True),
    ("other fields", b"event: x\nid: 1\nretry: 5\ndata: a\n\n", [b"a"], True),
    ("comments", b": hi\n\ndata: a\n: there\n\n", [b"a"], True),
    ("carriage returns", b"data: a\r\rdata: b\r\r", [b"a", b"b"], True),
    ("both line ends", b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"], True),
    ("a line end of its own after another kind", b"data: a\r\n\ndata: b\n\r\n", [b"a", b"b"], True),
    ("empty events", b"data\n\ndata:\n\nevent: x\n\nid: 1\n\n", [], True),
    ("an empty line of data", b"data: a\ndata:\ndata: b\n\n", [b"a\n\nb"], True),
    ("a mark is a mark only at the beginning", b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [b"a"], True),
    ("byte-order mark", b"\xef\xbb\xbfdata: a\n\n", [b"a"], True),
    ("blank lines", b"\n\n\ndata: a\n\n\n\n", [b"a"], True),
    ("cut in an event", b"data: a\n\ndata: b\n", [b"a"], False),
    ("cut in a line", b"data: a\n\nda", [b"a"], False),
    ("a field that only begins alike", b"database: x\n\n", [], True),
    ("line separators are text", "data: a\u2028b\u0085c\n\n".encode(), ["a\u2028b\u0085c".encode()], True),
]


def decode(pieces: list[bytes]) -> tuple[list[bytes], bool]:
    decoder = EventDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events, decoder.finish()


@pytest.mark.parametrize(("data", "events", "whole"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_every_cutting_gives_the_same_events(data: bytes, events: list[bytes], *, whole: bool) -> None:
    for pieces in cuttings(data, random.Random(7)):
        assert decode(pieces) == (events, whole)


@given(st.lists(st.sampled_from([b"data: x", b"\n", b"\r", b"\r\n", b":", b"data", b" "]), max_size=30))
def test_any_bytes_in_any_cutting(tokens: list[bytes]) -> None:
    data = b"".join(tokens)
    whole = decode([data])
    assert decode([data[i : i + 1] for i in range(len(data))]) == whole
    assert decode(tokens) == whole


def test_empty_reads_change_nothing() -> None:
    assert decode([b"", b"data: a\r", b"", b"\n", b"", b"\r", b"", b"\n", b""]) == ([b"a"], True)


def test_a_long_event_may_come_in_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was held as part of a line is not counted again as a line of the event."""
    monkeypatch.setattr(sse, "_MAX_EVENT_BYTES", 300)
    assert decode([b"data: ", b"x" * 40, b"y" * 40, b"\n", b"\n"] * 3)[1]


def test_comments_without_end_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_MAX_EVENT_BYTES", 100)
    assert decode([b": pi", b"ng\n"] * 200) == ([], True)


# Empty data has no bytes, but a place in memory.
PIECES = [b"0123456789", b"data: 0123456789\n", b"data:\n"]


@pytest.mark.parametrize("piece", PIECES, ids=["line", "event", "empty data"])
def test_what_has_no_end_is_refused(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    monkeypatch.setattr(sse, "_MAX_EVENT_BYTES", 700)
    assert decode([piece] * 9) == ([], False)
    with pytest.raises(UpstreamInvalid):
        decode([piece] * 11)


def test_a_whole_event_after_something_that_waits_belongs_to_it() -> None:
    """It looks like any other read, which is taken as it is where nothing waits."""
    usual = b"event:message\ndata: second\n\n"
    assert decode([b": x\n\n", b"data: first\n", usual]) == ([b"first\nsecond"], True)
    assert decode([b": x\n\n", b"data: first and ", usual]) == ([b"first and event:message\nsecond"], True)
    assert decode([b": x\n\n", usual]) == ([b"second"], True)


@pytest.mark.parametrize("piece", PIECES, ids=["line", "event", "empty data"])
def test_what_was_refused_is_not_held(monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    """Whoever keeps the error keeps the decoder, by its traceback."""
    monkeypatch.setattr(sse, "_MAX_EVENT_BYTES", 700)
    decoder = EventDecoder()
    for _ in range(9):
        decoder.feed(piece)
    with pytest.raises(UpstreamInvalid):
        decoder.feed(piece * 2)
    assert decoder.finish()


MEBIBYTE = 1024 * 1024


def test_many_endless_lines_are_bounded_in_sum() -> None:
    """Whoever grows where the room is full is refused, and what it held is there for the others."""
    budget = build_answer_budget()
    decoders = [EventDecoder(budget.open()) for _ in range(40)]
    refused = 0
    tracemalloc.start()
    try:
        for _ in range(16 * MEBIBYTE // 65_536 - 1):
            for decoder in decoders:
                try:
                    decoder.feed(b"data: " + b"x" * 65_530)
                except OutOfRoom:
                    refused += 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 140 * MEBIBYTE
    assert refused >= 20
    for decoder in decoders:
        decoder.forget()
    assert budget.held_bytes == 0


def test_large_events_leave_room_for_usual_ones() -> None:
    budget = build_answer_budget()
    large = [EventDecoder(budget.open()) for _ in range(8)]
    with pytest.raises(OutOfRoom) as raised:
        feed_all(large, b"data: " + b"x" * 65_530, 240)
    assert raised.value.retry_after_seconds == 5.0
    usual = [EventDecoder(budget.open()) for _ in range(100)]
    for decoder in usual:
        assert decoder.feed(b"data: " + b"x" * 200_000) == []
    for decoder in usual:
        assert decoder.feed(b"\n\n") == [b"x" * 200_000]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from([b"data: ", b"x" * 90_000, b"y" * 70_000, b"\n", b"\n\n", b"\r", b""])
            | st.none(),
        ),
        max_size=60,
    )
)
def test_the_room_is_given_back_whatever_comes(steps: list[tuple[int, bytes | None]]) -> None:
    """None: the stream is closed. What is free for everybody is a piece of 64 KiB."""
    budget = build_answer_budget()
    decoders = [EventDecoder(budget.open()) for _ in range(4)]
    plain = [EventDecoder() for _ in range(4)]
    for number, data in steps:
        if data is None:
            decoders[number].forget()
            plain[number].forget()
        else:
            assert decoders[number].feed(data) == plain[number].feed(data)
        assert budget.held_bytes <= sum(map(count_room, decoders))
    for decoder in decoders:
        decoder.feed(b"\n\n")
    assert budget.held_bytes == 0


def feed_all(decoders: list[EventDecoder], piece: bytes, times: int) -> None:
    for _ in range(times):
        for decoder in decoders:
            decoder.feed(piece)


def count_room(decoder: EventDecoder) -> int:
    return max(0, decoder._room_bytes - 65_536)


@pytest.mark.parametrize("piece", PIECES, ids=["line", "event", "empty data"])
def test_an_event_has_its_own_bound_also_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, piece: bytes
) -> None:
    monkeypatch.setattr(sse, "_MAX_EVENT_BYTES", 700)
    monkeypatch.setattr(sse, "_FREE_BYTES", 100)
    budget = build_answer_budget()
    decoder = EventDecoder(budget.open())
    with pytest.raises(UpstreamInvalid):
        feed_all([decoder], piece, 11)
    assert decoder.finish()
    assert budget.held_bytes == 0
