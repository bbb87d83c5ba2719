"""What is read without parsing is what parsing would have read, and it is read: nearly every frame."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.event import ReplyEvent, TextDelta
from app.upstream.frames import parse_frame
from app.upstream.growing_text import GrowingText
from app.upstream.reducer import Reducer
from tests.app.upstream import player
from tests.app.upstream.pipeline import play
from tests.app.upstream.player import Block, Ending, Style

STYLES = [
    player.SNAPSHOT,
    player.SNAPSHOT_2024,
    player.FLAGGED_DELTA,
    player.UNFLAGGED_DELTA,
    player.UNFLAGGED_SNAPSHOT,
]
WORDS = [
    "The Brocken",
    " is",
    " 1141",
    " m",
    ' "high"',
    "\n",
    "\\",
    "布罗肯峰",
    "🏔",
    "",
    "【1†source】",
    "\x7f\x01",
]
pieces = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), min_size=1, max_size=12).map(tuple)
blocks = st.lists(
    st.builds(Block, st.sampled_from(["text", "text_thinking", "think", "code"]), pieces),
    min_size=1,
    max_size=4,
)


def write(frames: list[dict[str, Any]], *, is_ascii: bool = False) -> list[bytes]:
    return [json.dumps(frame, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass") for frame in frames]


def count_unparsed(documents: list[bytes]) -> int:
    growing, reducer, unparsed = GrowingText(), Reducer(), 0
    for document in documents:
        if growing.read_document(document) is not None:
            unparsed += 1
        else:
            frame = parse_frame(document)
            reducer.reduce(frame)
            growing.learn(document, frame, reducer)
    return unparsed


@given(blocks, st.lists(st.sampled_from(STYLES), min_size=1, max_size=3), st.booleans())
def test_nothing_is_read_otherwise_than_by_parsing(
    said: list[Block], styles: list[Style], is_ascii: bool
) -> None:
    frames = player.play_frames(said, cycle(styles), Ending())
    data = player.write_events(frames, is_ascii=is_ascii)
    assert play([data]) == play(split_events(data)) == play([data], parses_all=True)


def split_events(data: bytes) -> list[bytes]:
    return [event + b"\n\n" for event in data.split(b"\n\n")[:-1]]


CHANGES: dict[str, Any] = {
    "id": "other",
    "status": "finish",
    "last_error": {"intervene_text": "no"},
    "meta_data": {"if_increase_push": True},
}
PART_CHANGES: dict[str, Any] = {
    "logic_id": "other",
    "status": "error",
    "error": {"code": 10024, "message": "no"},
    "content": [{"type": "text", "text": "a"}, {"type": "think", "think": "b"}],
    "meta_data": {"text": "a"},
    "role": "tool",
}
ITEM_CHANGES: dict[str, Any] = {"type": "think", "text": None, "status": "finish", "think": "b"}


@st.composite
def altered_frames(draw: st.DrawFn) -> list[dict[str, Any]]:
    """An answer of one part; in some of its frames something else changes as well."""
    style = draw(st.sampled_from(STYLES))
    frames = player.play_frames([Block("text", draw(pieces))], cycle([style]), Ending())
    for frame in draw(st.lists(st.sampled_from(frames), max_size=3)):
        part = frame["parts"][0] if frame["parts"] else {}
        item = part["content"][0] if part.get("content") else {}
        place, changes = draw(st.sampled_from([(frame, CHANGES), (part, PART_CHANGES), (item, ITEM_CHANGES)]))
        field = draw(st.sampled_from(sorted(changes)))
        place[field] = changes[field]
    return frames


@settings(max_examples=300)
@given(altered_frames())
def test_whatever_else_changes_is_noticed(frames: list[dict[str, Any]]) -> None:
    data = player.write_events(frames)
    assert play([data]) == play(split_events(data)) == play([data], parses_all=True)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("kind", ["text", "think"])
@pytest.mark.parametrize("is_ascii", [False, True])
def test_nearly_every_frame_of_a_usual_answer_is_not_parsed(
    style: Style, kind: str, *, is_ascii: bool
) -> None:
    said = tuple(f'{number}. "Höhe" 布罗肯峰\n' for number in range(100))
    frames = player.play_frames([Block(kind, said)], cycle([style]), Ending())
    documents = write(frames, is_ascii=is_ascii)
    # The naming, the first texts - two until it is known what pieces without a flag are - and the ends.
    assert count_unparsed(documents) >= len(documents) - 6


def build_snapshots(behind: Iterator[str]) -> list[bytes]:
    part = (
        '{"id":"m","conversation_id":"c","parts":[{"logic_id":"l","content":[{"type":"text","text":"%s"}],'
        '"status":"init"}],"created_at":"%s","status":"init","meta_data":{"if_increase_push":false}}'
    )
    return [(part % ("a" * length, next(behind))).encode() for length in range(1, 101)]


def test_a_time_that_changes_now_and_then_costs_one_parsing_each() -> None:
    assert count_unparsed(build_snapshots(f"12:00:{number // 20}" for number in range(100))) == 95


def test_frames_that_differ_in_more_each_time_are_soon_only_parsed() -> None:
    """What is done to find a text would be for nothing."""
    growing, reducer = GrowingText(), Reducer()
    for document in build_snapshots(map(str, range(100))):
        assert growing.read_document(document) is None
        frame = parse_frame(document)
        reducer.reduce(frame)
        growing.learn(document, frame, reducer)
    again = build_snapshots(cycle([""]))
    for document in again[-2:]:
        assert growing.read_document(document) is None
        growing.learn(document, parse_frame(document), reducer)


def test_very_long_frames_are_parsed_and_not_held() -> None:
    first = build_snapshots(cycle([""]))[0]
    documents = [
        first.replace(b'"text":"a"', b'"text":"%b"' % (b"a" * chars)) for chars in (2, 3, 300_000, 300_001)
    ]
    assert count_unparsed([first, *documents]) == 2


SPLIT = [
    b'{"conversation_id":"c","parts":[{"logic_id":"l","content":[{"type":"text","text":"%b"}],"status":"init"}],'
    b'"status":"init","meta_data":{"if_increase_push":false}}' % text
    for text in (
        b"so",
        b"so\\u00e9",
        b"so\\u00e9\\ud83c\\udfd4",
        b"so\\u00e9\\ud83c\\udfd4\\\\",
        b'so"}],"x":[{"y":"',
    )
]


def test_an_event_is_read_as_it_comes() -> None:
    """What is less than a whole event, or more, or written otherwise, is left to the decoder."""
    growing, reducer = GrowingText(), Reducer()
    frame = parse_frame(SPLIT[0])
    reducer.reduce(frame)
    growing.learn(SPLIT[0], frame, reducer)
    event = b"event:message\ndata: %b\n\n" % SPLIT[1]
    others = [
        event[:-1],
        event[1:],
        event + event,
        b": x\n" + event,
        event.replace(b"\n", b"\r\n"),
        event.replace(b"so", b"so\n"),
        event.replace(b"so", b"so\r"),
        event.replace(b"data: ", b"data:"),
        event.replace(b',"meta_data"', b',\n"meta_data"'),
    ]
    assert [growing.read(other) for other in others] == [None] * len(others)
    assert growing.read(event) == [TextDelta("é")]


def test_a_frame_on_two_lines_is_not_learned() -> None:
    """The second line of its event begins with `data:`, which its document does not tell."""
    growing, reducer = GrowingText(), Reducer()
    document = SPLIT[0].replace(b',"meta_data"', b',\n"meta_data"')
    frame = parse_frame(document)
    reducer.reduce(frame)
    growing.learn(document, frame, reducer)
    assert growing.read(b"event:message\ndata: %b\n\n" % document) is None
    assert growing.read_document(document) is None


def test_escapes_and_what_only_looks_like_more_text() -> None:
    growing, reducer = GrowingText(), Reducer()
    events: list[ReplyEvent] = []
    for document in SPLIT[:4]:
        grown = growing.read_document(document)
        if grown is None:
            frame = parse_frame(document)
            grown = reducer.reduce(frame)
            growing.learn(document, frame, reducer)
        events += grown
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["so", "é", "🏔", "\\"]
    assert growing.read_document(SPLIT[4]) is None


ITEM = b'{"type":"text","text":"so"}'


@pytest.mark.parametrize(
    "seeming",
    [
        b'{"type":"text","text":"%b","text" :"so"}',
        b'{"type":"text","text":"%b","te\\u0078t":"so"}',
        b'{"type":"text","text" :"so","x":{"text":"%b"}}',
        b'{"type":"text","text":\t"so","a\\"text":"%b"}',
    ],
)
@pytest.mark.parametrize("is_delta", [False, True])
def test_a_text_that_only_seems_to_be_said_is_not(seeming: bytes, is_delta: bool) -> None:
    frame = SPLIT[0].replace(b"false", b"true") if is_delta else SPLIT[0]
    items = [ITEM, *(seeming % text for text in (b"so", b"so it is", b"so it is not"))]
    events = [b"event:message\ndata: %b\n\n" % frame.replace(ITEM, item) for item in items]
    assert play(events) == play(events, parses_all=True)


def test_an_item_that_says_nothing_does_not_say_what_stands_elsewhere() -> None:
    frame = SPLIT[0].replace(b"false", b"true")
    items = [ITEM, *(b'{"type":"text","x":{"text":"%b"}}' % text for text in (b"", b"so", b"not"))]
    events = [b"event:message\ndata: %b\n\n" % frame.replace(ITEM, item) for item in items]
    assert play(events) == play(events, parses_all=True)
