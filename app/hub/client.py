"""The client of a request: whether it is still there, and whether it reads."""

from __future__ import annotations

import select
import socket
from typing import Any

import gevent
from gevent import getcurrent
from gevent.monkey import get_original

from app.hub.cancellation import ClientGone, Shield, interrupt
from app.hub.round import is_round_long

_READ = 1
# Where struct tcp_info of Linux says how many bytes the peer has acknowledged.
_BYTES_ACKED = slice(120, 128)
_TCP_INFO = getattr(socket, "TCP_INFO", None)
_PIPELINED_CHECK_SECONDS = 0.5
_LONG_ROUND_PAUSE_SECONDS = 0.005
# Linux tells by POLLRDHUP that the peer has ended its half. Elsewhere the socket is looked at.
_RDHUP = getattr(select, "POLLRDHUP", 0)
_HANG_UP = _RDHUP | select.POLLHUP | select.POLLERR

_poll = get_original("select", "poll")
_socket = get_original("socket", "socket")


class ClientWatch:
    """Throws ClientGone into the greenlet that made it once the peer of `client` hangs up, until `close`.

    A client that ends its half has hung up. Costs one idle watcher. A client that pipelines its next request
    stays readable without having gone; it is looked at twice a second from then on. Where there is no
    POLLRDHUP what it sent hides the end behind it: such a client has gone when a write to it fails.
    """

    __slots__ = ("_fd", "_greenlet", "_loop", "_watcher")

    def __init__(self, client: socket.socket) -> None:
        self._fd = client.fileno()
        self._greenlet = getcurrent()
        self._loop = gevent.get_hub().loop
        self._watcher: Any = self._loop.io(self._fd, _READ)
        self._watcher.start(self._on_readable)

    def _on_readable(self) -> None:
        self._watcher.close()
        self._watcher = self._loop.timer(_PIPELINED_CHECK_SECONDS, _PIPELINED_CHECK_SECONDS)
        self._watcher.start(self._check)
        self._check()

    def _check(self) -> None:
        if not _has_hung_up(self._fd):
            return
        self.close()
        if is_round_long():  # many left at once, and each has to give back what it holds
            self._watcher = self._loop.timer(_LONG_ROUND_PAUSE_SECONDS)
            self._watcher.start(self._check)
        else:
            interrupt(self._greenlet, ClientGone())

    def close(self) -> None:
        """Idempotent. Must be called before the connection serves its next request."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None


class Client:
    """The connection behind one request, and the greenlet that answers it: the one that makes this."""

    __slots__ = ("_acknowledged", "_greenlet", "_shield", "_socket", "_stuck_since")

    def __init__(self, client: socket.socket) -> None:
        self._socket = client
        self._greenlet = getcurrent()
        self._acknowledged = b""
        self._stuck_since: float | None = None
        self._shield = Shield(None)

    def shield(self) -> None:
        """From here on the request gives back what it holds, and must not be interrupted. Idempotent."""
        self._shield.begin()

    def unshield(self) -> None:
        """All is given back. What was put off is forgotten: who still wants it throws again. Idempotent."""
        self._shield.end()

    def interrupt(self, error: BaseException) -> None:
        """Raise `error` where the request waits, ClientGone where it waits for its client to read.

        Call in the event loop.
        """
        interrupt(self._greenlet, error if self._is_writable() else ClientGone())

    def stuck_seconds(self, now: float) -> float:
        """For how long the client has taken nothing of what waits for it, as far as these looks can tell."""
        if self._is_writable():
            self._stuck_since = None
            return 0.0
        acknowledged = b""
        if _TCP_INFO is not None and self._socket.family != socket.AF_UNIX:
            acknowledged = self._socket.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, 256)[_BYTES_ACKED]
        if self._stuck_since is None or acknowledged != self._acknowledged:
            self._acknowledged, self._stuck_since = acknowledged, now
        return now - self._stuck_since

    def _is_writable(self) -> bool:
        return _poll_now(self._socket.fileno(), select.POLLOUT | _HANG_UP)


def is_readable(fd: int) -> bool:
    """Whether a read would return at once, with data or with the end. Does not wait."""
    return _poll_now(fd, select.POLLIN)


def is_reset(fd: int) -> bool:
    """Whether nobody is there any more to read an answer; who has only ended its own half is."""
    return _poll_now(fd, select.POLLHUP | select.POLLERR)


def _has_hung_up(fd: int) -> bool:
    return _poll_now(fd, _HANG_UP) or (not _RDHUP and is_readable(fd) and _is_at_end(fd))


def _is_at_end(fd: int) -> bool:
    """Whether the end is the next that a read would find. Takes nothing, and does not wait."""
    client: socket.socket | None = None
    try:
        client = _socket(fileno=fd)
        return client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:  # reset; some systems know nothing of such a socket any more
        return True
    finally:
        if client is not None:
            client.detach()


def _poll_now(fd: int, events: int) -> bool:
    poll = _poll()
    poll.register(fd, events)
    return bool(poll.poll(0))
