"""Where a head ends, however it is cut, and what it may not grow to."""

from __future__ import annotations

import itertools
import random
import time

import pytest

from app.server.error import HeadTooLarge
from app.server.head import HeadLimits, HeadScanner, Verdict

LINE = b"GET /ping HTTP/1.1\r\n"
HEADS = {
    LINE + b"\r\n": Verdict.COMPLETE,
    LINE + b"Host: x\r\n\r\nbody \n without CR": Verdict.COMPLETE,
    b"\r\n" + LINE + b"Host: x\r\n\r\n": Verdict.COMPLETE,
    b"\r\n\r\n" + LINE: Verdict.WRONG,
    LINE + b"Host: x\n\r\n": Verdict.WRONG,
    b"GET /ping HTTP/1.1\n\n": Verdict.WRONG,
    b"\n": Verdict.WRONG,
    b"GET /" + b"x" * 4094: Verdict.WRONG,
    b"GET /" + b"x" * 4080: Verdict.MORE,
    LINE + b"Host: x\r\n": Verdict.MORE,
    LINE + b"Host: x\r\n\r": Verdict.MORE,
    LINE + b"A: \r\r\r\n\r\n": Verdict.COMPLETE,
}


def scan(pieces: list[bytes], limits: HeadLimits | None = None) -> Verdict:
    scanner, verdict = HeadScanner(limits or HeadLimits()), Verdict.MORE
    for piece in pieces:
        verdict = scanner.feed(piece)
        if verdict is not Verdict.MORE:
            break
    return verdict


def cut(data: bytes, chance: random.Random) -> list[bytes]:
    places = sorted(chance.sample(range(len(data)), min(5, len(data))))
    bounds = [0, *places, len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(bounds) if end > begin]


@pytest.mark.parametrize(("head", "verdict"), HEADS.items())
def test_every_cut_has_the_same_verdict(head: bytes, verdict: Verdict) -> None:
    assert scan([head]) is verdict
    assert scan([head[n : n + 1] for n in range(len(head))]) is verdict
    chance = random.Random(7)
    for _ in range(50):
        assert scan(cut(head, chance)) is verdict


def field(name: bytes, count: int) -> bytes:
    """A line of exactly so many bytes."""
    return name + b": " + b"x" * (count - len(name) - 4) + b"\r\n"


KIB = 1024


@pytest.mark.parametrize(
    "fields",
    [
        [field(b"Authorization", 64 * KIB)],
        [field(b"X-Api-Key", 64 * KIB)],
        [field(b"aUTHORIZATION", 64 * KIB), field(b"A", 60 * KIB), field(b"B", 60 * KIB)],
        [field(b"Authorization", 60 * KIB), field(b"x-api-key", 60 * KIB), field(b"B", 60 * KIB)],
        [field(b"F%d" % n, 100) for n in range(64)],
    ],
)
def test_what_is_within_the_bounds(fields: list[bytes]) -> None:
    data = LINE + b"".join(fields) + b"\r\n"
    assert scan([data]) is Verdict.COMPLETE
    assert scan([data[n : n + 13] for n in range(0, len(data), 13)]) is Verdict.COMPLETE


@pytest.mark.parametrize(
    "fields",
    [
        [field(b"F%d" % n, 50 * KIB) for n in range(3)],
        [field(b"Authorization", 64 * KIB)] * 4,
        [field(b"Authorization", 64 * KIB), field(b"X-Api-Key", 64 * KIB), field(b"A", 65 * KIB)],
        [b"A:b\r\n"] * 65,
        # The lines never end; their names may be anything.
        [b"x" * 129 * KIB],
        [b"Authorization: " + b"x" * 200 * KIB],
        [b"X-Authorization: " + b"x" * 129 * KIB],
    ],
)
@pytest.mark.parametrize("step", [7, 8192, 1_000_000])
def test_what_is_beyond_the_bounds(fields: list[bytes], step: int) -> None:
    data = LINE + b"".join(fields)
    with pytest.raises(HeadTooLarge):
        scan([data[n : n + step] for n in range(0, len(data), step)])


def test_the_cost_grows_with_the_length_and_not_with_its_square() -> None:
    """CPU time of this thread, of a head of one field in pieces of 16 bytes."""

    def measure(count: int) -> float:
        pieces = [LINE, b"A: ", *[b"x" * 16] * (count // 16)]
        limits = HeadLimits(max_bytes=2 * count)
        begun = time.thread_time()
        assert scan(pieces, limits) is Verdict.MORE
        return time.thread_time() - begun

    shorter = min(measure(100_000) for _ in range(5))
    longer = min(measure(800_000) for _ in range(3))
    assert longer < 24 * shorter, "64 times as much would be the square"
