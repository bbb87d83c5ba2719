"""A reply gives back what it holds, whatever goes wrong on the way."""

from __future__ import annotations

import time
from typing import Any
from unittest.mock import Mock

import pytest

from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.errors import Outcome, UpstreamUnreachable
from app.exchange.reply import Clocks, Reply
from app.reply import ReplyEvent, ReplyStarted
from app.state import MEMORY, open_state

CLOCKS = Clocks(commit=1, idle=1, heartbeat=1, whole=1)


class Holding:
    """A stream or a use, which can fail when it is closed."""

    ended = finished = True
    conversation_id = answer_id = None
    frames = 0

    def __init__(self, *, broken: bool) -> None:
        self._broken = broken
        self.closed = 0

    def read(self, _: float) -> None: ...

    def close(self, **_: object) -> None:
        self.closed += 1
        if self._broken:
            raise OSError("it cannot be closed")

    end = close


class Talking:
    """A stream that has said how its answer is called and goes on."""

    ended = finished = False
    conversation_id: str | None = None
    answer_id: str | None = None
    frames = 0

    def read(self, _: float) -> list[ReplyEvent]:
        self.frames, self.answer_id, self.conversation_id = 1, "b" * 24, "a" * 24
        return [ReplyStarted(self.conversation_id)]

    def close(self, **_: object) -> None: ...


def test_an_answer_that_is_left_is_stopped_before_its_account_is_free() -> None:
    pool = AccountPool(Logins(open_state(MEMORY)))
    stream: Any = Talking()
    use: Any = Mock()
    leased = []

    def refuse(answer_id: str) -> None:
        leased.append((answer_id, pool.leased))
        raise UpstreamUnreachable("It is away.")

    reply = Reply(stream, use, CLOCKS, stop=refuse)
    reply.own_lease(pool.acquire(pool.find(["a"]), wait_seconds=0))
    reply.wait_first_event(1 + time.monotonic())
    for _ in range(2):
        reply.close()
    pool.acquire(pool.find(["a"]), wait_seconds=5).release(Outcome.OK)
    assert leased == [("b" * 24, 1)]
    use.end.assert_called_once_with(delivered=True)


def test_a_name_that_has_come_but_was_not_read_is_read_at_the_end() -> None:
    stream: Any = Talking()
    use: Any = Mock()
    stopped: list[str] = []
    Reply(stream, use, CLOCKS, stop=stopped.append).close()
    use.begin.assert_called_once_with("a" * 24)
    deadline = time.monotonic() + 5
    while not use.end.called and time.monotonic() < deadline:
        time.sleep(0.001)
    assert stopped == ["b" * 24]
    use.end.assert_called_once_with(delivered=False)


@pytest.mark.parametrize("stream_breaks", [True, False])
def test_the_account_is_free_although_something_cannot_be_closed(*, stream_breaks: bool) -> None:
    pool = AccountPool(Logins(open_state(MEMORY)))
    stream: Any = Holding(broken=stream_breaks)
    use: Any = Holding(broken=not stream_breaks)
    reply = Reply(stream, use, CLOCKS, stop=pytest.fail)
    reply.own_lease(pool.acquire(pool.find(["a"]), wait_seconds=0))
    with pytest.raises(OSError, match="cannot be closed"):
        reply.close()
    assert (pool.leased, stream.closed, use.closed) == (0, 1, 1)
