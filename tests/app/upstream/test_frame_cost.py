"""What one event may cost, by its shape and by what came before it: time in proportion to its length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest

from app.core.errors import CutAnswer, UpstreamInvalid
from tests.app.upstream.played import (
    MEBIBYTE,
    Json,
    Played,
    build_frame,
    build_part,
    build_result,
    build_text,
    play_measured,
    write_event,
)

MAX_HELD_BYTES = 64 * MEBIBYTE
LONG = "x" * MEBIBYTE

MAX_SECONDS = 0.5
"""Of CPU time. Each took 0.8 to 4 seconds while nothing bounded it, and takes 0.2 at most."""

BIG_PAGES = [{"url": "http://host/1", "title": "x" * 5000} for _ in range(400)]

HEAVY: dict[str, Callable[[], Iterator[Json]]] = {
    # The pages were read for each item.
    "items beside pages": lambda: iter(
        [build_frame(build_part(0, *[build_text("】")] * 1000, meta_data={"citations": BIG_PAGES}))]
    ),
    "results beside pages": lambda: iter(
        [
            build_frame(
                build_part(0, *[{"type": "quote_result"}] * 1000, meta_data={"metadata_list": BIG_PAGES})
            )
        ]
    ),
    # Each mark was looked for in each list.
    "marks that are in no list": lambda: chain(
        (build_frame(build_result(n, [{"url": "http://host/1"}])) for n in range(5000)),
        [build_frame(build_part("t", build_text("【9999†】" * 5000)))],
    ),
    # All of the text was joined for each short end of it.
    "ends that are none": lambda: chain(
        repeat(build_frame(build_part(0, build_text("中" * 900_000))), 4),
        chain.from_iterable(
            repeat(
                (
                    build_frame(build_part(0, build_text("x"))),
                    build_frame(build_part(0, build_text("x"), status="finish")),
                ),
                2000,
            )
        ),
    ),
    # All blanks were looked at for each further one.
    "blanks after code": lambda: chain(
        [build_frame(build_part(0, {"type": "code", "code": "1\n" + " " * 990_000}))],
        repeat(build_frame(build_part(0, {"type": "code", "code": " "})), 600),
    ),
    "parts that report errors": lambda: repeat(build_frame(*[{"error": "x"}] * 4900), 20),
    "items of no shape": lambda: repeat(build_frame(build_part(0, *[{"type": 1, "text": 1}] * 4900)), 3),
    "values that are no part": lambda: iter([build_frame(last_error=[[]] * 3_000_000)]),
    "objects that are no part": lambda: iter([build_frame(*[{}] * 3_000_000)]),
}


@pytest.mark.parametrize("name", HEAVY)
def test_no_frame_holds_up_everybody_else(name: str) -> None:
    played = Played((write_event(frame) for frame in HEAVY[name]()), reads_searches=True)
    played.stream.close()
    assert played.seconds < MAX_SECONDS


GOING_ON: dict[str, tuple[Callable[[], Iterator[Json]], Callable[[], Iterator[Json]]]] = {
    "a long text": (
        lambda: iter(
            [build_frame(build_part("cut", build_text("What was said before it was cut, word for word.")))]
        ),
        lambda: chain(
            repeat(build_frame(build_part("new", build_text("中" * 900_000))), 2),
            repeat(build_frame(build_part("new", build_text("x"))), 9000),
        ),
    ),
    "many parts": (
        lambda: (build_frame(build_part(n, build_text(f"x{n}"))) for n in range(8000)),
        lambda: (build_frame(build_part(n, build_text(f"x{n}")), increases=False) for n in range(8000)),
    ),
}


@pytest.mark.parametrize("name", GOING_ON)
def test_what_was_said_before_a_cut_is_not_read_again_for_each_frame(name: str) -> None:
    before, after = GOING_ON[name]
    cut = Played(before())
    resumed = Played(after(), resumes=cut.stream.interrupt())
    cut.stream.close()
    resumed.stream.close()
    assert type(resumed.error) is CutAnswer
    assert resumed.seconds < MAX_SECONDS


@pytest.mark.parametrize("value", [b"{}", b"[]", b'"ab"'])
def test_a_frame_of_too_many_values_is_refused_before_it_is_decoded(value: bytes) -> None:
    event = b'data: {"status":"init","last_error":[%b]}\n\n' % b",".join([value] * 3_000_000)
    played, peak = play_measured(iter([event]))
    played.stream.close()
    assert isinstance(played.error, UpstreamInvalid)
    assert peak < MAX_HELD_BYTES


@pytest.mark.parametrize("text", ['{"a":[{},{}],' * 10_000, '{[,\\"' * 30_000, "\\", '"{' * 9999])
def test_what_stands_in_a_text_is_no_value(text: str) -> None:
    """Code is full of brackets, of which none counts."""
    text += "x" * 20_000
    played = Played(iter([build_frame(build_part(0, build_text(text)))]), reads_calls=True)
    played.stream.close()
    assert (played.text, type(played.error)) == (text, CutAnswer)
