"""Processes seen from outside, checked against what they know about themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque

import pytest

from bench.process import ProcessTree, Program, ProgramFailed


def test_it_counts_what_the_kernel_counts() -> None:
    begun, known = time.process_time(), ProcessTree(os.getpid()).cpu_seconds()[os.getpid()]
    while time.process_time() - begun < 0.1:
        pass
    used = ProcessTree(os.getpid()).cpu_seconds()[os.getpid()] - known
    assert used == pytest.approx(time.process_time() - begun, abs=0.05)


def test_descendants_count() -> None:
    waiting = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", waiting], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        tree = ProcessTree(parent.pid)
        assert len(tree.list_pids()) == 2
        memory = tree.memory()
        assert memory.rss >= memory.pss > 1024 * 1024
        parent.communicate(b"\n")
    assert tree.cpu_seconds() == {}


def test_a_program_that_ends_early_is_a_failure() -> None:
    with Program("this") as program:
        assert program.read_line(10).startswith("The Zen")
        with pytest.raises(ProgramFailed, match="ended early with code 0"):
            deque((program.read_line(10) for _ in range(1000)), maxlen=0)
