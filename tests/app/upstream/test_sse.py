"""The event decoder against the WHATWG text, in every cutting."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UpstreamInvalid
from app.upstream import sse
from app.upstream.sse import EventDecoder
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
