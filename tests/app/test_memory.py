"""Freed memory is given back where there is something to gain, and seldom."""

from __future__ import annotations

import time

from app.memory import MIN_GROWN_BYTES, TRIM_SECONDS, FreedMemory, measure_resident_bytes
from tests.clock import Clock

IDLE = 60_000_000


class Process:
    """What is resident; a trim leaves what is `held`."""

    def __init__(self) -> None:
        self.resident = self.held = IDLE
        self.trims = 0

    def measure(self) -> int:
        return self.resident

    def trim(self) -> None:
        self.trims += 1
        self.resident = self.held


def test_what_grew_is_trimmed_once_it_is_free() -> None:
    process, clock = Process(), Clock(100.0)
    freed = FreedMemory(process.measure, process.trim, clock)
    process.resident = IDLE + MIN_GROWN_BYTES - 1
    clock.now += TRIM_SECONDS
    freed.look()
    assert process.trims == 0, "there is little to gain"
    process.resident = process.held = 4 * IDLE
    clock.now += TRIM_SECONDS
    freed.look()
    assert (process.trims, process.resident) == (1, 4 * IDLE), "it is in use"
    process.held = IDLE
    freed.look()
    assert process.trims == 1, "that was just now"
    clock.now += TRIM_SECONDS
    freed.look()
    assert (process.trims, process.resident) == (2, IDLE)
    clock.now += TRIM_SECONDS
    freed.look()
    assert process.trims == 2


def test_holes_in_the_heap_go_back_to_the_system() -> None:
    """Every other one of many small blocks is freed: the heap does not shrink by itself."""
    begun, clock = measure_resident_bytes(), Clock(time.monotonic())
    freed = FreedMemory(clock=clock)
    blocks = [bytes(50_000) for _ in range(1600)]
    grown = measure_resident_bytes() - begun
    pins = blocks[::40]
    blocks.clear()
    clock.now += TRIM_SECONDS
    freed.look()
    assert grown > 20_000_000, "some of it may have been there already"
    assert measure_resident_bytes() - begun < grown / 4
    assert len(pins) == 40
