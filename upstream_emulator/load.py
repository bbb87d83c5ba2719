"""The `chunks` scenario: many evenly paced text frames at the least cost, for measuring.

Everything but the text is rendered once; a frame is then three pieces joined. As a snapshot every frame
repeats all text so far. With `stamp=1` every piece begins with its number and the time it was sent at, in
microseconds of the machine's monotonic clock.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

from upstream_emulator.content import CORPUS
from upstream_emulator.frame import Growing
from upstream_emulator.player import Steps
from upstream_emulator.scene import Scene

MARK = "\ufffc"
SAMPLE = CORPUS.encode()
BYTES_PER_CHARACTER = 3
MAX_PIECE_BYTES = 4 * 1024 * 1024


def play_chunks(scene: Scene) -> Steps:
    """`n` frames (60) with about `size` bytes of new text each (30), `pace` milliseconds apart."""
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
    """The first event; then what surrounds the text of a growing, the part's last and the last event."""
    whole = Growing("text", [MARK])
    opening, growing = scene.beginning(replace(whole, finishes=False))
    *_, part_finish, finish = scene.answer_events([whole])
    mark = MARK.encode()
    return opening, growing.split(mark), part_finish.split(mark), finish.split(mark)


def _plain_pieces(size: int) -> Iterator[bytes]:
    sample = _Sample()
    while True:
        yield sample.take(size)


def _stamped_pieces(size: int) -> Iterator[bytes]:
    sample = _Sample()
    for sequence in itertools.count():
        stamp = b"\xe2\x9f\xa6%d:%d\xe2\x9f\xa7" % (sequence, time.monotonic_ns() // 1000)
        yield stamp + sample.take(size - len(stamp))


class _Sample:
    """The sample text without end, in whole characters."""

    def __init__(self) -> None:
        self._position = 0

    def take(self, size: int) -> bytes:
        """About `size` bytes, at least one character."""
        wanted = max(size // BYTES_PER_CHARACTER, 1) * BYTES_PER_CHARACTER
        end = self._position + wanted
        rounds = end // len(SAMPLE) + 1
        taken = (SAMPLE if rounds == 1 else SAMPLE * rounds)[self._position : end]
        self._position = end % len(SAMPLE)
        return taken
