"""Bounds on what one client sends: by bytes, by the clock, and by the turns that others get."""

from __future__ import annotations

import itertools
import socket
import threading
import time

import gevent
import gevent.socket
import pytest
from gunicorn.http.errors import NoMoreData

from app.core.errors import RequestTimeout
from app.server.connection_slots import ConnectionSlots
from app.server.error import HeadTooLarge
from app.server.incoming import FairShare, IncomingBytes
from tests.app.server.conftest import BOUNDS, ScriptedClient, read_from

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_head_is_handed_over_whole() -> None:
    client = ScriptedClient([HEAD[n : n + 5] for n in range(0, len(HEAD), 5)])
    incoming = read_from(client)
    incoming.read_head()
    assert incoming.take_buffered() == HEAD


def test_heads_that_came_together_are_both_there() -> None:
    client = ScriptedClient([HEAD[:20], HEAD[20:] + HEAD[:30], HEAD[30:]])
    incoming = read_from(client)
    incoming.read_head()
    assert incoming.read(len(HEAD)) == HEAD
    incoming.read_head()
    assert incoming.take_buffered() == HEAD


@pytest.mark.parametrize("pieces", [[], [b""]])
def test_nothing_at_all_is_no_failure(pieces: list[bytes]) -> None:
    with pytest.raises(StopIteration):
        read_from(ScriptedClient(pieces)).read_head()
    with pytest.raises(StopIteration):
        read_from(ScriptedClient(pieces, hangs_up=True)).read_head()


def test_a_head_that_breaks_off() -> None:
    with pytest.raises(NoMoreData):
        read_from(ScriptedClient([HEAD[:30]], hangs_up=True)).read_head()


def test_a_head_that_is_not_completed() -> None:
    client = ScriptedClient([HEAD[:30]])
    with pytest.raises(RequestTimeout):
        read_from(client).read_head()
    assert client.now == pytest.approx(1000 + BOUNDS.request_seconds)


def test_a_head_that_drips_is_late_by_the_clock() -> None:
    """There are always bytes to be had, so that no timer would ever fire."""
    client = ScriptedClient(itertools.chain([HEAD[:30]], itertools.repeat(b"x")), seconds=0.5)
    with pytest.raises(RequestTimeout):
        read_from(client).read_head()
    assert 60 <= client.now - 1000 <= 61


def test_a_head_without_end_is_too_large() -> None:
    client = ScriptedClient(itertools.repeat(b"GET / HTTP/1.1\r\n" + b"X: " + b"x" * 8000 + b"\r\n"))
    with pytest.raises(HeadTooLarge):
        read_from(client).read_head()
    assert client.received < 200_000


def test_a_later_head_may_be_waited_for_and_then_has_its_own_time() -> None:
    client = ScriptedClient([HEAD])
    incoming = read_from(client)
    incoming.read_head()
    incoming.take_buffered()
    begun = client.now
    with pytest.raises(StopIteration):
        incoming.read_head()
    assert client.now - begun == pytest.approx(BOUNDS.idle_seconds)


def test_a_body_is_late_by_the_clock_although_there_are_bytes() -> None:
    client = ScriptedClient(itertools.chain([HEAD], itertools.repeat(b"1\r\nx\r\n")), seconds=0.25)
    incoming = read_from(client)
    incoming.read_head()
    begun = client.now
    with pytest.raises(RequestTimeout):
        read_on(incoming)
    assert 60 <= client.now - begun <= 60.5


def read_on(incoming: IncomingBytes) -> None:
    while incoming.chunk():
        pass


def test_others_get_their_turn_by_bytes() -> None:
    """The clock stands still: only bytes count."""
    client = ScriptedClient(itertools.chain([HEAD], itertools.repeat(b"x" * 8192, 800)))
    incoming = read_from(client)
    incoming.read_head()
    for _ in range(800):
        incoming.chunk()
    assert client.turns == 800 * 8192 // FairShare.MAX_BYTES


def test_others_get_their_turn_by_time() -> None:
    """Work between the pieces takes a millisecond each."""
    client = ScriptedClient(itertools.chain([HEAD], itertools.repeat(b"x")))
    incoming = read_from(client)
    incoming.read_head()
    for _ in range(100):
        incoming.chunk()
        client.now += 0.001
    assert 30 <= client.turns <= 100


def test_waiting_is_no_work() -> None:
    client = ScriptedClient(itertools.chain([HEAD], itertools.repeat(b"x")), seconds=0.1)
    incoming = read_from(client)
    incoming.read_head()
    for _ in range(100):
        incoming.chunk()
    assert client.turns == 0


def test_what_is_thrown_away_is_bounded_by_bytes_and_by_time() -> None:
    client = ScriptedClient(itertools.repeat(b"x" * 10_000))
    read_from(client).discard(1_000_000, 30)
    assert client.shut == [socket.SHUT_WR]
    assert client.received == 1_000_000
    slow = ScriptedClient(itertools.repeat(b"x"), seconds=0.5)
    read_from(slow).discard(1_000_000, 30)
    assert 30 <= slow.now - 1000 <= 31


def test_the_body_is_asked_for_when_it_is_read() -> None:
    client = ScriptedClient([b"body"])
    incoming = read_from(client)
    incoming.owes_continue = True
    assert incoming.chunk() == b"body"
    assert client.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.written = b""
    with pytest.raises(RequestTimeout):
        incoming.chunk()
    assert client.written == b""


def test_the_loop_is_never_held_for_long() -> None:
    """A real socket that is always full. The longest hold, in CPU time of this thread, is measured from
    another greenlet; without giving way it gets no turn before the end."""
    ours, theirs = gevent.socket.socketpair()
    feeder = threading.Thread(target=feed, args=(theirs.dup().detach(), 8 * 1024 * 1024), daemon=True)
    incoming = IncomingBytes(ours, ConnectionSlots(10, 2).take(ours), BOUNDS)
    holds: list[float] = []
    probe = gevent.spawn(measure_holds, holds)
    gevent.sleep(0.01)
    feeder.start()
    left = 8 * 1024 * 1024
    while left:
        left -= len(incoming.chunk())
        work(0.0005)
    probe.kill()
    feeder.join()
    ours.close()
    theirs.close()
    assert len(holds) > 50
    assert max(holds) < 0.1


def feed(fd: int, count: int) -> None:
    with socket.socket(fileno=fd) as sender:
        sender.setblocking(True)
        sender.sendall(b"x" * count)


def work(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def measure_holds(holds: list[float]) -> None:
    """For how much CPU time this greenlet had to wait, each time anew."""
    while True:
        begun = time.thread_time()
        gevent.sleep(0.001)
        holds.append(time.thread_time() - begun)


def test_requests_that_came_together_do_not_keep_others_waiting() -> None:
    """Nothing is received between them, and each takes its time to answer."""
    heads = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    client = ScriptedClient([heads * 100])
    incoming = read_from(client)
    for _ in range(100):
        incoming.read_head()
        assert incoming.read(len(heads)) == heads
        client.now += 0.002
    assert client.turns >= 99
