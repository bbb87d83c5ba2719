"""What gunicorn's master asks a child of its own, so that it does not grow."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

CONF = Path(__file__).parents[2] / "gunicorn.conf.py"


Ask = Callable[..., list[str]]


@pytest.fixture
def ask() -> Ask:
    ask_child: Ask = runpy.run_path(str(CONF))["ask_child"]
    return ask_child


def test_problems_come_as_they_were_described_by_another_process(ask: Ask) -> None:
    wrong = "PORT is wrong\nHOST is wrong: 路径 \udcff"
    assert ask(lambda: wrong, lambda: "") == [wrong, ""]
    assert ask(lambda: str(os.getpid())) != [str(os.getpid())]


def test_what_the_child_cannot_do_ends_the_start(ask: Ask) -> None:
    with pytest.raises(SystemExit, match="could not be read"):
        ask(lambda: str(1 / 0))
