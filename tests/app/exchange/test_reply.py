"""A reply gives back what it holds, whatever goes wrong on the way."""

from __future__ import annotations

from typing import Any

import pytest

from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.exchange.reply import Clocks, Reply
from app.state import MEMORY, open_state

CLOCKS = Clocks(first_event=1, commit=1, idle=1, heartbeat=1, whole=1)


class Holding:
    """A stream or a use, which can fail when it is closed."""

    def __init__(self, *, broken: bool) -> None:
        self._broken = broken
        self.closed = 0

    def close(self, **_: object) -> None:
        self.closed += 1
        if self._broken:
            raise OSError("it cannot be closed")

    end = close


@pytest.mark.parametrize("stream_breaks", [True, False])
def test_the_account_is_free_although_something_cannot_be_closed(*, stream_breaks: bool) -> None:
    pool = AccountPool(Logins(open_state(MEMORY)))
    stream: Any = Holding(broken=stream_breaks)
    use: Any = Holding(broken=not stream_breaks)
    reply = Reply(stream, use, CLOCKS)
    reply.hold(pool.acquire(pool.find(["a"]), wait_seconds=0))
    with pytest.raises(OSError, match="cannot be closed"):
        reply.close()
    assert (pool.leased, stream.closed, use.closed) == (0, 1, 1)
