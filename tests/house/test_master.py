"""What gunicorn's master asks a child of its own, so that it does not grow, and does meanwhile."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

CONF = Path(__file__).parents[2] / "gunicorn.conf.py"


Ask = Callable[..., list[str]]


@pytest.fixture
def ask() -> Ask:
    return partial(runpy.run_path(str(CONF))["ask_child"], meanwhile=lambda: None)


def test_problems_come_as_they_were_described_by_another_process(ask: Ask) -> None:
    wrong = "PORT is wrong\nHOST is wrong: 路径 \udcff"
    assert ask(lambda: wrong, lambda: "") == [wrong, ""]
    assert ask(lambda: str(os.getpid())) != [str(os.getpid())]


def test_what_the_child_cannot_do_ends_the_start(ask: Ask) -> None:
    with pytest.raises(SystemExit, match="could not be read"):
        ask(lambda: str(1 / 0))


def test_the_master_does_its_own_while_the_child_works(ask: Ask) -> None:
    reading, writing = os.pipe()
    said = partial(os.read, reading, 1)
    assert ask(lambda: said().decode(), meanwhile=lambda: os.write(writing, b"x")) == ["x"]
    os.close(reading)
    os.close(writing)
