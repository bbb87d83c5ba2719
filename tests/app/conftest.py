"""The leak guard: whatever a test acquired or opened in this process is given back when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.accounts.lease import Lease
from app.upstream.stream import UpstreamStream


def remember(made: list[object], build: Callable[..., None]) -> Callable[..., None]:
    """`build`, an __init__, that also notes what it made."""

    def build_and_remember(self: object, *args: Any, **named: Any) -> None:
        build(self, *args, **named)
        made.append(self)

    return build_and_remember


@pytest.fixture(autouse=True)
def nothing_stays_taken() -> Iterator[None]:
    made: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in (Lease, UpstreamStream):
            patch.setattr(kind, "__init__", remember(made, kind.__init__))
        yield
    left = [thing for thing in map(repr, made) if not thing.endswith((" released>", " closed>"))]
    assert left == [], "given back by nobody"
