"""Answers that never pause: every read looks at the clock, and others have their turn."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator

import gevent
import pytest

from app.clocked_socket import MAX_INFORMATIONAL, ClockedSocket, FinalResponse, ReadClock
from tests.clock import Clock

Answer = Callable[[bytes], FinalResponse]


def build(data: bytes, clock: ReadClock) -> tuple[FinalResponse, list[socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.sendall(data)
    theirs.shutdown(socket.SHUT_WR)
    return FinalResponse(ClockedSocket(ours, clock), method="GET"), [ours, theirs]  # type: ignore[arg-type]


@pytest.fixture
def answer() -> Iterator[Answer]:
    opened: list[socket.socket] = []

    def read(data: bytes) -> FinalResponse:
        response, sockets = build(data, ReadClock(60.0, lambda: 0.0))
        opened.extend(sockets)
        response.begin()
        return response

    yield read
    for sock in opened:
        sock.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
EARLY = [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX: y\r\n\r\n",
    b"HTTP/1.1 199 Whatever\r\n\r\n",
]


@pytest.mark.parametrize("early", [*EARLY, b"".join(EARLY), EARLY[0] * MAX_INFORMATIONAL])
def test_informational_answers_are_passed_over(answer: Answer, early: bytes) -> None:
    response = answer(early + OK)
    assert (response.status, response.getheaders(), response.read()) == (
        200,
        [("Content-Length", "2")],
        b"hi",
    )
    response.close()


@pytest.mark.parametrize("early", [EARLY[0] * (MAX_INFORMATIONAL + 1), b"".join(EARLY) * 3])
def test_not_an_endless_row_of_them(answer: Answer, early: bytes) -> None:
    with pytest.raises(http.client.BadStatusLine):
        answer(early + OK)


def test_switching_protocols_is_no_informational_answer(answer: Answer) -> None:
    response = answer(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK)
    assert response.status == 101
    response.close()


def test_the_clock_ends_what_never_pauses() -> None:
    """Each read takes a second of this clock; whoever sends would go on for ever."""
    ours, theirs = socket.socketpair()
    clock = Clock()

    def now() -> float:
        clock.now += 1.0
        return clock()

    def flood() -> None:
        while True:
            try:
                theirs.sendall(b"X: y\r\n" * 1000)
            except OSError:
                return

    thread = threading.Thread(target=flood)
    thread.start()
    read_clock = ReadClock(clock() + 20.0, now)
    reads = ClockedSocket(ours, read_clock).makefile("rb")
    with pytest.raises(TimeoutError):
        reads.read()
    assert read_clock.turns > 5
    reads.close()
    ours.close()
    thread.join(5)
    theirs.close()
    assert not thread.is_alive()


def test_others_have_their_turn_while_bytes_keep_coming() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"x" * 1000)
    seen: list[int] = []
    time = Clock()

    def now() -> float:
        time.now += 0.01
        return time()

    sock = ClockedSocket(ours, ReadClock(time() + 1000.0, now))
    gevent.spawn(seen.append, 1)
    for _ in range(3):
        assert sock.recv(1) == b"x"
        assert sock.recv_into(bytearray(1)) == 1
    assert seen == [1]
    assert sock.fileno() == ours.fileno()
    ours.close()
    theirs.close()


def test_a_read_that_comes_soon_gives_no_way() -> None:
    clock = ReadClock(60.0, lambda: 0.0)
    for _ in range(1000):
        clock.tick()
    assert clock.turns == 0
