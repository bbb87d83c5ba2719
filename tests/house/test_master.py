"""What gunicorn's master asks a child of its own, so that it does not grow."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

CONF = Path(__file__).parents[2] / "gunicorn.conf.py"


@pytest.fixture
def ask() -> Callable[[Callable[[], str]], str]:
    ask_child: Callable[[Callable[[], str]], str] = runpy.run_path(str(CONF))["ask_child"]
    return ask_child


def test_a_problem_comes_as_it_was_described_by_another_process(
    ask: Callable[[Callable[[], str]], str],
) -> None:
    assert (
        ask(lambda: "PORT is wrong\nHOST is wrong: 路径 \udcff")
        == "PORT is wrong\nHOST is wrong: 路径 \udcff"
    )
    assert ask(lambda: str(os.getpid())) != str(os.getpid())


def test_what_the_child_cannot_do_ends_the_start(ask: Callable[[Callable[[], str]], str]) -> None:
    with pytest.raises(SystemExit, match="could not be read"):
        ask(lambda: str(1 / 0))
