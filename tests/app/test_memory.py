"""Freed memory is given back where there is something to gain, and seldom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from app.memory import MIN_GROWN_BYTES, TRIM_SECONDS, FreedMemory
from tests.clock import Clock

ROOT = Path(__file__).parent.parent.parent
IDLE = 60_000_000
# Prints by how much more is resident with 1,600 blocks, with every fortieth of them, and after a look.
FREES_BLOCKS = """
import time
from app.memory import TRIM_SECONDS, FreedMemory, measure_resident_bytes
from tests.clock import Clock

begun, clock = measure_resident_bytes(), Clock(time.monotonic())
freed = FreedMemory(clock=clock)
blocks = [bytes(50_000) for _ in range(1600)]
print(measure_resident_bytes() - begun)
held = blocks[::40]
blocks.clear()
print(measure_resident_bytes() - begun)
clock.now += TRIM_SECONDS
freed.look()
print(measure_resident_bytes() - begun)
"""


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
    """All but a few of many small blocks are freed: the heap does not shrink by itself.

    In a process of its own: what other tests freed in this one is memory that new blocks fill without growth.
    """
    run = subprocess.run(
        [sys.executable, "-c", FREES_BLOCKS], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    grown, freed, trimmed = map(int, run.stdout.split())
    assert grown > 60_000_000
    assert freed > 0.8 * grown, "or there is nothing to give back"
    assert trimmed < grown / 4
