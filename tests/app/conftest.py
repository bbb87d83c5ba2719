"""The leak guard: whatever a test acquired or opened in this process is given back when it ends."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.accounts.lease import Lease
from app.files.spool import Spool
from app.redaction import Redactor
from app.state import State
from app.upstream.stream import AnswerStream


def remember(made: list[Any], build: Callable[..., None]) -> Callable[..., None]:
    """`build`, an __init__, that also notes what it made."""

    def build_and_remember(self: object, *args: Any, **named: Any) -> None:
        build(self, *args, **named)
        made.append(self)

    return build_and_remember


@pytest.fixture(autouse=True)
def states_are_closed() -> Iterator[None]:
    """Those that a test made. Python 3.13 warns of an unclosed database in whatever test comes next."""
    made: list[State] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "__init__", remember(made, State.__init__))
        yield
    for state in made:
        state.close()


@pytest.fixture(autouse=True)
def logs_stay_as_they_are() -> Iterator[None]:
    """An application that a test makes sets up the log of the whole process."""
    loggers = [logging.getLogger(name) for name in ("app", "gunicorn.error")]
    before = [(logger.handlers, logger.level, logger.propagate, logger.filters) for logger in loggers]
    yield
    for logger, (handlers, level, propagate, filters) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate, logger.filters = handlers, propagate, filters
        logger.setLevel(level)


@pytest.fixture(autouse=True)
def no_secret_is_known_yet() -> None:
    """Each test has a redactor of its own: what another keeps secret for good may be a word of this one."""
    redactor = Redactor()
    for name, module in list(sys.modules.items()):
        if name.startswith(("app.", "tests.")) and isinstance(vars(module).get("redactor"), Redactor):
            vars(module)["redactor"] = redactor


@pytest.fixture(autouse=True)
def nothing_stays_taken() -> Iterator[None]:
    made: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in (Lease, Spool, AnswerStream):
            patch.setattr(kind, "__init__", remember(made, kind.__init__))
        yield
    left = [thing for thing in map(repr, made) if not thing.endswith((" released>", " closed>"))]
    assert left == [], "given back by nobody"
