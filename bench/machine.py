"""What is measured on, and how steady it is."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

from bench.analysis import spread

_ROUNDS = 300_000


def describe() -> str:
    """Processor, cores and interpreter in one line."""
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def spin_ms() -> float:
    """How long a fixed piece of work takes right now: on a quiet machine always the same."""
    begun = time.perf_counter()
    total = 0
    for number in range(_ROUNDS):
        total += number
    return (time.perf_counter() - begun) * 1e3


def describe_noise(spins: list[float]) -> str:
    """What the same work took before each run, and how loaded the machine is now."""
    found = spread(spins)
    load = os.getloadavg()[0]
    return (
        f"machine noise: the same fixed work took {found.median:.1f} ms ({found.low:.1f}–{found.high:.1f}) "
        f"before the runs; load average at the end {load:.1f}"
    )


def busy_seconds() -> float:
    """What all processes of this machine used so far, all cores together."""
    fields = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
