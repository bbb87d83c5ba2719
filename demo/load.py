"""The `chunks` scenario: many evenly paced text frames at the least cost, for measuring.

Everything but the text is rendered once; a frame is then three pieces joined. As a snapshot every frame
repeats all text so far. With `stamp=1` every piece begins with its number and the time it was sent at, in
microseconds of the machine's monotonic clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from demo.content import prose
from demo.frame import Growing
from demo.player import Steps
from demo.scene import Scene

MARK = "\ufffc"
BYTES_PER_CHARACTER = 3
MAX_PIECE_BYTES = 4 * 1024 * 1024


def play_chunks(scene: Scene) -> Steps:
    """`n` frames (60) of about `size` bytes of new text each (30), `pace` milliseconds apart, then the usual
    ends."""
    script = scene.script
    count, size = script.count("n", 60), min(script.count("size", 30), MAX_PIECE_BYTES)
    pieces = _stamped_pieces(size) if script.is_set("stamp") else _plain_pieces(size)
    cumulative = not scene.envelope.manner.grows_by_deltas("text")
    opening, (head, tail), part_finish, finish = _templates(scene)
    whole = bytearray()
    yield opening
    for _ in range(count):
        if scene.pace_seconds:
            yield scene.pace_seconds
        # Made here and not before the pause: a stamp tells the moment of sending.
        piece = next(pieces)
        whole += piece
        yield b"".join((head, whole if cumulative else piece, tail))
    yield bytes(whole).join(part_finish)
    yield bytes(whole).join(finish)


def _templates(scene: Scene) -> tuple[bytes, list[bytes], list[bytes], list[bytes]]:
    """The first event as it is; a growing one, the part's last and the answer's last as what surrounds their
    text."""
    whole = Growing("text", [MARK])
    opening, growing = scene.beginning(replace(whole, finishes=False))
    *_, part_finish, finish = scene.answer_events([whole])
    mark = MARK.encode()
    return opening, growing.split(mark), part_finish.split(mark), finish.split(mark)


def _plain_pieces(size: int) -> Iterator[bytes]:
    characters = prose()
    while True:
        yield _take(characters, size)


def _stamped_pieces(size: int) -> Iterator[bytes]:
    characters = prose()
    sequence = 0
    while True:
        stamp = b"\xe2\x9f\xa6%d:%d\xe2\x9f\xa7" % (sequence, time.monotonic_ns() // 1000)
        yield stamp + _take(characters, size - len(stamp))
        sequence += 1


def _take(characters: Iterator[str], size: int) -> bytes:
    count = max(size // BYTES_PER_CHARACTER, 1)
    return "".join(next(characters) for _ in range(count)).encode()
