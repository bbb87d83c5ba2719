"""A request may be interrupted wherever it waits, and leaves no lock, lease, place or worker behind."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def play(scene: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.app.interruption", scene]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=100, check=False)
    assert played.returncode == 0, played.stderr.decode()
    found: dict[str, Any] = json.loads(played.stdout)
    return found


def test_an_executor_is_broken_by_a_request_that_is_interrupted() -> None:
    """Why no request gives work to one.

    A Condition asks whether its lock is owned by trying to acquire it, and gevent's lock gives way to others
    where that fails: so other greenlets queue up for it. Where `Condition.wait` then wants it back, it has to
    wait, is interrupted there, and the `with` around it lets go of the lock that one of the others holds by
    now.
    """
    found = play("Submission")
    assert found["waits"] > 0
    assert any("Semaphore released too many times" in str(problem) for problem in found["problems"].values())


@pytest.mark.parametrize(
    ("scene", "min_waits"), [("Deletion", 1), ("Answer", 3), ("Refusal", 2), ("Background", 1)]
)
def test_nothing_is_left_behind(scene: str, min_waits: int) -> None:
    found = play(scene)
    assert found["problems"] == {}
    assert found["waits"] >= min_waits


# What waits inside the standard library with a lock in its hand. The cleaner has threads of its own.
UNSAFE = {
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Semaphore",
    "Thread",
    "Timer",
    "ThreadPoolExecutor",
    "Future",
}
UNSAFE_MODULES = {"concurrent", "queue"}
SAFE_IMPORTS = {"from queue import Empty"}  # the error alone; urllib3's queue is asked without waiting
OWN_THREADS = {ROOT / "app/conversations/cleaner.py"}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "app").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_request_meets_what_cannot_be_interrupted(path: Path) -> None:
    tree = list(ast.walk(ast.parse(path.read_text())))
    named = {
        node.attr
        for node in tree
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "threading"
    }
    imported = {
        node.module.partition(".")[0]
        for node in tree
        if isinstance(node, ast.ImportFrom) and node.module and ast.unparse(node) not in SAFE_IMPORTS
    }
    imported |= {
        alias.name.partition(".")[0] for node in tree if isinstance(node, ast.Import) for alias in node.names
    }
    found = (named & UNSAFE) | (imported & UNSAFE_MODULES)
    assert bool(found) == (path in OWN_THREADS), found
