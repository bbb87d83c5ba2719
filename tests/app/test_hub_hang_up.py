"""How a client that hangs up is noticed where there is no POLLRDHUP, in gevent's loop without patching."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator

import gevent
import pytest

from app.hub import ClientGone, ClientWatch
from app.hub import client as client_watch_module

Pair = tuple[socket.socket, socket.socket]


def watch(client: socket.socket, outcomes: list[str]) -> None:
    watch = ClientWatch(client)
    try:
        gevent.sleep(30)
        outcomes.append("finished")
    except ClientGone:
        outcomes.append("gone")
    finally:
        watch.close()


@pytest.fixture
def without_rdhup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_watch_module, "_RDHUP", 0)
    monkeypatch.setattr(client_watch_module, "_HANG_UP", select.POLLHUP | select.POLLERR)


@pytest.fixture
def connected() -> Iterator[Pair]:
    """Over TCP, where the end of one half is no POLLHUP."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
        with ours, theirs:
            yield ours, theirs


@pytest.mark.usefixtures("without_rdhup")
@pytest.mark.parametrize("how", [socket.SHUT_WR, socket.SHUT_RDWR, "close", "reset"])
def test_where_there_is_no_rdhup_the_end_is_read(how: int | str, connected: Pair) -> None:
    ours, theirs = connected
    outcomes: list[str] = []
    request = gevent.spawn(watch, ours, outcomes)
    gevent.sleep(0.01)
    if isinstance(how, int):
        theirs.shutdown(how)
    else:
        if how == "reset":
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
    request.join(10)
    assert outcomes == ["gone"]
    assert ours.fileno() >= 0  # what looked at it has not closed it


@pytest.mark.usefixtures("without_rdhup")
def test_where_there_is_no_rdhup_pipelined_bytes_stay(
    connected: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are looked at by the timer, not in a loop."""
    looks: list[int] = []
    real = client_watch_module._is_at_end

    def look(fd: int) -> bool:
        looks.append(fd)
        return real(fd)

    monkeypatch.setattr(client_watch_module, "_is_at_end", look)
    ours, theirs = connected
    outcomes: list[str] = []
    request = gevent.spawn(watch, ours, outcomes)
    gevent.sleep(0.01)
    theirs.send(b"the next request")
    gevent.sleep(0.1)
    assert outcomes == []
    assert 1 <= len(looks) <= 3
    assert ours.recv(100) == b"the next request"
    theirs.close()
    request.join(10)
    assert outcomes == ["gone"]
