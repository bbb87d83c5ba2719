"""What one answer makes the gateway hold beside what it says: all of it is bounded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import chain, count, cycle, repeat

import pytest

from app.core.errors import CutAnswer, UpstreamInvalid
from app.upstream import stream
from app.upstream.sse import build_answer_budget
from tests.app.upstream.played import (
    MEBIBYTE,
    Frames,
    Json,
    Played,
    build_call,
    build_frame,
    build_part,
    build_picture,
    build_result,
    build_text,
    play_measured,
    write_event,
)

MAX_HELD_BYTES = 64 * MEBIBYTE
LONG = "x" * MEBIBYTE

ENDLESS: dict[str, Callable[[], Frames]] = {
    "parts that say a letter": lambda: (build_frame(build_part(n, build_text("x"))) for n in count()),
    "parts that say half a letter": lambda: (
        build_frame(build_part(n, build_text("\ud83d")), increases=False) for n in count()
    ),
    "parts without a name": lambda: (
        build_frame({"status": "finish", "content": [build_text(f"x{n}")]}) for n in count()
    ),
    "parts of long names": lambda: (build_frame(build_part(f"{n}{LONG}", build_text("x"))) for n in count()),
    "parts that hold what nobody can read yet": lambda: chain.from_iterable(
        (
            build_frame(build_part(n, build_text("\ud83d")), increases=None),
            build_frame(build_part(n, build_text("\ud83d" + LONG)), increases=None),
        )
        for n in count()
    ),
    "searches": lambda: (build_frame(build_result(n, [{"url": "http://host/1"}])) for n in count()),
    "searches of long names": lambda: (
        build_frame(build_result(f"{n}{LONG}", [{"url": "http://host/1"}])) for n in count()
    ),
    "marks": lambda: chain(
        [build_frame(build_result(0, [{"url": "http://host/" + "u" * 2000}]))],
        repeat(build_frame(build_part(1, build_text("【1†】" * 200_000)))),
    ),
    "marks that lead nowhere": lambda: (
        build_frame(build_part(1, build_text("【1†】" * 1000))) for _ in count()
    ),
    "pictures": lambda: (build_frame(build_part(0, build_picture(f"{n}"))) for n in count()),
    "pictures of long names": lambda: (
        build_frame(build_part(0, build_picture(f"{n}{LONG}"))) for n in count()
    ),
    "the arguments of a call": lambda: repeat(build_frame(build_part(0, build_call(LONG)))),
    "a call's whole arguments": lambda: (
        build_frame(build_part(0, build_call({"a": LONG * n}))) for n in count()
    ),
    "the output of a run": lambda: repeat(
        build_frame(build_part(0, {"type": "execution_output", "content": LONG[:100_000]}))
    ),
    "blanks after code": lambda: chain(
        [build_frame(build_part(0, {"type": "code", "code": "1\n"}))],
        repeat(build_frame(build_part(0, {"type": "code", "code": " " * 100_000}))),
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_is_held_is_bounded(name: str) -> None:
    room = build_answer_budget()
    played, peak = play_measured(ENDLESS[name](), reads_calls=True, reads_searches=True, room=room)
    played.stream.close()
    assert isinstance(played.error, UpstreamInvalid)
    assert peak < MAX_HELD_BYTES
    assert room.held_bytes == 0


@pytest.mark.parametrize(
    "pages",
    [
        lambda n: build_result(
            n, [{"url": "http://host/1", "title": "t" * 300, "index": i} for i in range(1000)]
        ),
        lambda n: build_result(0, [{"url": "http://host/1", "match_key": f"{n}.{i}"} for i in range(1000)]),
        lambda n: build_result(f"{n}{LONG}", [{"url": "http://host/1"}]),
        lambda n: build_part(
            0,
            build_text("】"),
            meta_data={"citations": [{"url": "http://host/1", "index": n * 1000 + i} for i in range(1000)]},
        ),
    ],
    ids=["lists", "keys", "long names", "cited numbers"],
)
def test_of_very_many_pages_some_are_forgotten(pages: Callable[[int], Json]) -> None:
    """They may come again and again, so that they are no reason to end an answer."""
    tracemalloc.start()
    try:
        played = Played(build_frame(pages(n)) for n in range(100))
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    played.stream.close()
    assert isinstance(played.error, CutAnswer)
    assert held < 8 * MEBIBYTE


def test_small_pieces_of_a_long_text_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A character of Chinese takes eighty bytes as a string of its own."""
    monkeypatch.setattr(stream, "_FREE_CHARS", 1000)
    event = write_event(build_frame(build_part(0, build_text("中"))))
    tracemalloc.start()
    try:
        played = Played(repeat(event, 30_000))
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    played.stream.close()
    assert held < MEBIBYTE


def test_what_comes_after_the_close_takes_no_room() -> None:
    """As the rest of an answer does that is read where it is stored."""
    room = build_answer_budget()
    cut = Played(iter([build_frame(build_part(0, build_text("good day")))]), room=room).stream
    reducer, continuation = cut.interrupt()
    resumed = Played(iter([]), room=room, resumes=(reducer, continuation)).stream
    cut.close()
    reducer.held.add(MEBIBYTE)
    assert room.held_bytes == MEBIBYTE
    resumed.close()
    reducer.held.add(MEBIBYTE)
    assert room.held_bytes == 0


def test_a_long_answer_of_many_parts_is_said() -> None:
    parts = cycle(range(300))
    frames = (build_frame(build_part(next(parts), build_text("一段话。" * 20))) for _ in range(2000))
    played = Played(frames, reads_calls=True, room=build_answer_budget())
    played.stream.close()
    assert type(played.error) is CutAnswer
    assert played.text.replace("\n\n", "") == "一段话。" * 20 * 2000
