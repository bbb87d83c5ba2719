"""Other processes seen from outside: what they use, and programs of ours that run meanwhile."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
_STOP_SECONDS = 10
_SCHEDULER_CLOCK = 2


class ProgramFailed(Exception):
    """A program of ours did not do what it is for."""


class Memory:
    """Resident and proportional set size in bytes: shared pages count in full, or by their share."""

    __slots__ = ("pss", "rss")

    def __init__(self, rss: int = 0, pss: int = 0) -> None:
        self.rss = rss
        self.pss = pss

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.rss + other.rss, self.pss + other.pss)


class ProcessTree:
    """A process and all its descendants, which may come and go."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def list_pids(self) -> list[int]:
        found, unseen = [], [self._pid]
        while unseen:
            pid = unseen.pop()
            found.append(pid)
            unseen.extend(_list_children(pid))
        return found

    def cpu_seconds(self) -> dict[int, float]:
        """User and system time of each process so far, as /proc/PID/stat counts it but to the nanosecond."""
        times = {pid: _cpu_seconds(pid) for pid in self.list_pids()}
        return {pid: seconds for pid, seconds in times.items() if seconds is not None}

    def memory(self) -> Memory:
        """Needs the right to look into these processes; without it everything is 0."""
        return sum((_read_memory(pid) for pid in self.list_pids()), Memory())


def _list_children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            children.extend(map(int, (task / "children").read_text("ascii").split()))
    except OSError:
        # It ended while it was looked at.
        pass
    return children


def _cpu_seconds(pid: int) -> float | None:
    # The number of another process's CPU clock, as clock_getcpuclockid(3) makes it: the ticks of 10 ms in
    # /proc/PID/stat are too coarse for one short stream.
    try:
        return time.clock_gettime((~pid << 3) | _SCHEDULER_CLOCK)
    except OSError:
        return None


def _read_memory(pid: int) -> Memory:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return Memory()
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith(" kB")}
    return Memory(sizes["Rss"], sizes["Pss"])


class Program:
    """`python -m MODULE`, spoken to through its input and output. Leaving the context ends it."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise ProgramFailed("its input and output are no pipes")
        self._input, self._output = self._process.stdin, self._process.stdout
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def write_all(self, text: str) -> None:
        """Hand over the whole input."""
        self._input.write(text.encode())
        self._input.close()

    def read_line(self, seconds: float, tick: Callable[[], object] | None = None) -> str:
        """The next line; `tick` is called twice a second until it comes. Raises ProgramFailed."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._unread:
            if time.monotonic() > deadline:
                raise ProgramFailed(f"nothing was heard for {seconds:.0f} s")
            if select.select([self._output], [], [], 0.5)[0]:
                data = os.read(self._output.fileno(), 1 << 20)
                if not data:
                    raise ProgramFailed(f"it ended early with code {self._process.wait()}")
                self._unread += data
            elif tick is not None:
                tick()
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def close(self) -> None:
        """Idempotent."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._input.close()
        self._output.close()
