"""Events bent as a network or another server might bend them: same content, other bytes or other cuts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def split_in_characters(events: Iterable[bytes]) -> Iterator[bytes]:
    """Cuts every event inside its first character of several bytes; events without one stay whole."""
    for event in events:
        at = next((index for index, byte in enumerate(event) if byte >= 0xC0), None)
        yield from (event,) if at is None else (event[: at + 1], event[at + 1 :])


def one_by_one(events: Iterable[bytes]) -> Iterator[bytes]:
    """Every byte on its own."""
    for event in events:
        for index in range(len(event)):
            yield event[index : index + 1]


def with_line_ends(events: Iterable[bytes], line_end: bytes) -> Iterator[bytes]:
    """Other line ends; a CRLF that ends an event arrives in two pieces, cut between CR and LF."""
    for event in events:
        changed = event.replace(b"\n", line_end)
        yield from (changed[:-1], changed[-1:]) if line_end == b"\r\n" else (changed,)


def with_comments(events: Iterable[bytes]) -> Iterator[bytes]:
    """Comments before, between and inside events, and the fields `id` and `retry` that nobody needs."""
    yield b": welcome\n\n"
    for number, event in enumerate(events):
        yield b": keep-alive\n\n:\n\n"
        yield event.replace(b"\ndata:", b"\n: inside\nid: %d\nretry: 1000\ndata:" % number)


def with_byte_order_mark(events: Iterable[bytes]) -> Iterator[bytes]:
    yield BYTE_ORDER_MARK
    yield from events


def twice(events: Iterable[bytes], *, deltas: bool) -> Iterator[bytes]:
    """Identical duplicate frames (protocol notes 4.1). Frames that hold a delta are doubled only with
    `deltas`: nobody can tell a doubled delta from text that repeats itself."""
    for event in events:
        yield event
        if deltas or b'"status":"finish"' in event or b'"parts":[]' in event:
            yield event
