"""Bent events hold the same bytes, or the same content in other bytes."""

from __future__ import annotations

from upstream_emulator import wire

EVENTS = ['data: {"x":"你好"}\n\n'.encode(), b"data: {}\n\n"]
WHOLE = b"".join(EVENTS)


def test_cuts_lose_nothing() -> None:
    assert b"".join(wire.split_in_characters(EVENTS)) == WHOLE
    assert b"".join(wire.one_by_one(EVENTS)) == WHOLE


def test_a_split_is_inside_a_character() -> None:
    first, second, whole = wire.split_in_characters(EVENTS)
    assert first.endswith(b"\xe4")
    assert second.startswith(b"\xbd")
    assert whole == EVENTS[1]


def test_line_ends() -> None:
    assert b"".join(wire.with_line_ends(EVENTS, b"\r\n")) == WHOLE.replace(b"\n", b"\r\n")
    assert list(wire.with_line_ends(EVENTS, b"\r"))[1] == b"data: {}\r\r"


def test_comments_leave_the_data() -> None:
    lines = b"".join(wire.with_comments(b"event:message\n" + event for event in EVENTS)).split(b"\n")
    assert [line for line in lines if line.startswith(b"data")] == [event[:-2] for event in EVENTS]


def test_twice() -> None:
    events = [b'{"parts":[]}', b'{"status":"init"}', b'{"status":"finish"}']
    assert list(wire.twice(events, deltas=True)) == [event for event in events for _ in range(2)]
    assert list(wire.twice(events, deltas=False)) == [events[0], *events, events[2]]
