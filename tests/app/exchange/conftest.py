"""What a script leaves open is closed when its test ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.exchange.script import Rig


@pytest.fixture(autouse=True)
def replies_are_closed() -> Iterator[None]:
    yield
    while Rig.made:
        Rig.made.pop().reply.close(in_background=False)
