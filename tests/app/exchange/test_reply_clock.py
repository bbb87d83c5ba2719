"""A reply's clocks: only events count as talking, and nothing that comes instead holds anybody up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from app.core.errors import GatewayError, UpstreamTimeout
from app.core.event import ReplyEvent
from app.exchange.clock import Clocks
from app.exchange.reply import Reply
from tests.app.upstream.connected import against, ask
from tests.app.upstream.hostile import Endless, LoopWatch, flood, trickle
from tests.clock import Clock

IDLE = 5.0
CLOCKS = Clocks(commit=1, idle=IDLE, heartbeat=2, whole=1000)
COMMENT: list[ReplyEvent] = []
FRAME: list[ReplyEvent] = []  # of a frame that says nothing to the client


class Paced:
    """A stream that takes its time for each read: a second, or all that it is given where it is silent."""

    ended = finished = False
    conversation_id = answer_id = None
    frames = 0

    def __init__(self, clock: Clock, reads: Iterator[list[ReplyEvent] | None]) -> None:
        self._clock, self._reads = clock, reads

    def read(self, seconds: float) -> list[ReplyEvent] | None:
        said = next(self._reads, None)
        self.frames += said is FRAME
        self._clock.now += seconds if said is None else 1.0
        return said

    def close(self, **_: object) -> None:
        self.ended = True


def build(clock: Clock, reads: Any) -> Reply:
    stream: Any = Paced(clock, iter(reads))
    use: Any = Mock()
    return Reply(stream, use, CLOCKS, clock, stop=lambda _: None)


def read_on(reply: Reply) -> None:
    while True:
        reply.read()


@pytest.mark.parametrize(
    "silence",
    [[COMMENT] * 9, [None] * 9, [COMMENT, None] * 9, [None, COMMENT, COMMENT] * 9],
    ids=["comments", "nothing", "both", "mostly comments"],
)
def test_what_is_no_event_is_silence(silence: list[Any]) -> None:
    clock = Clock(100.0)
    reply = build(clock, [FRAME, *silence])
    with pytest.raises(UpstreamTimeout, match="stopped talking"):
        read_on(reply)
    assert clock.now == pytest.approx(101 + IDLE, abs=1.0)
    reply.close()


def test_an_event_ends_the_silence() -> None:
    clock = Clock(100.0)
    reply = build(clock, ([COMMENT] * 4 + [FRAME]) * 10)
    for _ in range(50):
        reply.read()
    reply.close()


def test_a_client_that_reads_slowly_is_not_the_upstreams_silence() -> None:
    clock = Clock(100.0)
    reply = build(clock, [FRAME, COMMENT, COMMENT, COMMENT, FRAME])
    for _ in range(5):
        reply.read()
        clock.now += 60
    reply.close()


def test_comments_are_passed_on_as_heartbeats_at_our_own_pace() -> None:
    clock = Clock(100.0)
    reply = build(clock, ([COMMENT] * 3 + [FRAME]) * 5)
    said = [reply.read() for _ in range(20)]
    assert said.count(None) == 10, "one in two seconds, in twenty"
    reply.close()


def test_comments_are_no_first_event() -> None:
    clock = Clock(100.0)
    reply = build(clock, [COMMENT] * 100)
    with pytest.raises(UpstreamTimeout):
        reply.wait_first_event(clock.now + 20)
    assert clock.now == 120.0
    reply.close()


SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BEGUN = b'data: {"conversation_id":"c","status":"init","parts":[]}\n\n'


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


# What never says anything, however much of it comes.
CHATTER: dict[str, Endless] = {
    "comments": flood(SSE + chunk(BEGUN), chunk(b": ping\n\n" * 100)),
    "blank lines": flood(SSE + chunk(BEGUN), chunk(b"\n" * 4000)),
    "other fields": flood(SSE + chunk(BEGUN), chunk(b"event: message\nid: 1\n\n" * 100)),
    "small chunks": flood(SSE + chunk(BEGUN), chunk(b":")),
    "frames that say nothing": flood(SSE + chunk(BEGUN), chunk(BEGUN * 50)),
    "empty frames": flood(SSE + chunk(BEGUN), chunk(b"data: {}\n\n" * 100)),
    "one event": flood(SSE + chunk(BEGUN), chunk(b"data: x\n" * 100)),
    "extensions": flood(SSE + chunk(BEGUN), b"1;" + b"x" * 4000 + b"\r\n:\r\n"),
    "a comment that trickles": trickle(SSE + chunk(BEGUN), chunk(b":")),
    "a size line that trickles": trickle(SSE + chunk(BEGUN) + b"1;", b"x"),
    "a trailer that trickles": trickle(SSE + chunk(BEGUN) + b"0\r\n", b"a: b\r\n"),
}


@pytest.mark.parametrize("play", CHATTER.values(), ids=CHATTER)
def test_chatter_ends_in_time_and_never_holds_the_loop(play: Endless) -> None:
    use: Any = Mock()
    clocks = Clocks(commit=0.1, idle=0.3, heartbeat=0.1, whole=0.6)
    with against([play]) as (client, _), LoopWatch() as watch:
        reply = Reply(ask(client), use, clocks, stop=lambda _: None)
        with pytest.raises(GatewayError):
            read_on(reply)
        reply.close()
    assert play.was_left
    assert watch.longest_seconds < 0.2
    use.begin.assert_called_with("c")
