"""The one module that knows gevent by name: waiting for sockets, deadlines, clients that go away.

Everything else blocks through the standard library, which gunicorn's gevent worker makes cooperative.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Any

import gevent
from gevent import GreenletExit as GreenletExit  # noqa: PLC0414  for the server, which must not name gevent
from gevent import getcurrent
from gevent.monkey import get_original
from gevent.server import StreamServer
from gevent.threadpool import ThreadPool

_READ = 1
# Where struct tcp_info of Linux says how many bytes the peer has acknowledged.
_BYTES_ACKED = slice(120, 128)
_TCP_INFO = getattr(socket, "TCP_INFO", None)
_PIPELINED_CHECK_SECONDS = 0.5
_HANG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR

_poll = get_original("select", "poll")
_getaddrinfo = get_original("socket", "getaddrinfo")

NAME_SECONDS = 0.6
"""So long a client that leaves is put off until what it began upstream has a name, to be deleted by."""

Deadline = gevent.Timeout
"""`with Deadline(seconds, error):` raises `error` in this greenlet when the time is over."""


def limit_accepts(count: int) -> None:
    """Let servers accept at most so many connections before others get their turn: who is here goes first."""
    StreamServer.max_accept = count


def call_in_loop(callback: Callable[[], None]) -> None:
    """Have `callback` called in the event loop soon. From signal handlers and other threads as well."""
    gevent.get_hub().loop.run_callback_threadsafe(callback)


def give_way() -> None:
    """Let every other greenlet that can go on have its turn: for loops that hardly ever wait.

    By a timer, not by `gevent.sleep(0)`: that comes back up to 50 times before the loop looks at a socket.
    """
    hub = gevent.get_hub()
    with hub.loop.timer(0.0) as timer:
        hub.wait(timer)


class ClientGone(GreenletExit):  # type: ignore[misc]
    """The client closed its connection; raised wherever its request happens to wait.

    A GreenletExit, so that no `except Exception` on the way mistakes it for a failure of the upstream and
    gunicorn ends the request without a word.
    """


class Readiness:
    """Waits for one file descriptor, reusing its watchers: this runs once per relayed chunk.

    Used by one greenlet at a time. The descriptor must stay open until `close`.
    """

    __slots__ = ("_hub", "_readable", "_seconds", "_timer")

    def __init__(self, fd: int) -> None:
        self._hub = gevent.get_hub()
        self._readable = self._hub.loop.io(fd, _READ)
        self._seconds = 0.0
        self._timer: Any = self._hub.loop.timer(0.0)

    def wait(self, seconds: float) -> bool:
        """True as soon as the descriptor can be read, False when `seconds` passed in silence."""
        if seconds != self._seconds:
            self._timer.close()
            self._timer = self._hub.loop.timer(seconds, seconds)
            self._seconds = seconds
        resume = getcurrent().switch
        # Not `start`: a stopped timer goes on with what was left of it.
        self._timer.again(resume, False)
        self._readable.start(resume, True)
        try:
            return bool(self._hub.switch())
        finally:
            self._readable.stop()
            self._timer.stop()

    def close(self) -> None:
        """Idempotent; must come before the descriptor is closed."""
        self._readable.close()
        self._timer.close()


class ClientWatch:
    """Throws ClientGone into the greenlet that made it once the peer of `client` hangs up, until `close`.

    Costs one idle watcher. A client that pipelines its next request stays readable without having gone;
    it is looked at twice a second from then on.
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
        if _has_hung_up(self._fd):
            self.close()
            lingering = getattr(self._greenlet, "lingering", None)
            if lingering is not None:
                lingering.put_off()
            else:
                self._greenlet.throw(ClientGone())

    def close(self) -> None:
        """Idempotent. Must be called before the connection serves its next request."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None


class Lingering:
    """`with Lingering(seconds):` puts ClientGone off to the end of the block, for at most so long."""

    __slots__ = ("_greenlet", "_is_gone", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._greenlet = getcurrent()
        self._is_gone = False
        self._timer: Any = None

    def __enter__(self) -> None:
        self._greenlet.lingering = self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._greenlet.lingering = None
        if self._timer is not None:
            self._timer.close()
        if self._is_gone and kind is not ClientGone:
            raise ClientGone

    def put_off(self) -> None:
        self._is_gone = True
        self._timer = gevent.get_hub().loop.timer(self._seconds)
        self._timer.start(self._greenlet.throw, ClientGone)


class Lookups:
    """Names looked up in threads of their own, so that resolvers which hang for one hold up nobody else's."""

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._threads: Any = None

    def find(self, host: str, port: int) -> list[tuple[str, int]]:
        """Every address, each once, in the resolver's order. Raises OSError where there is none."""
        if self._threads is None:
            self._threads = ThreadPool(self._at_a_time)
        found = self._threads.apply(_getaddrinfo, (host, port, 0, socket.SOCK_STREAM))
        return list(dict.fromkeys((str(address[0]), int(address[1])) for *_, address in found))


class Client:
    """The connection behind one request, and the greenlet that answers it: the one that makes this."""

    __slots__ = ("_acknowledged", "_greenlet", "_socket", "_stuck_since", "shielded")

    def __init__(self, client: socket.socket) -> None:
        self._socket = client
        self._greenlet = getcurrent()
        self._acknowledged = b""
        self._stuck_since: float | None = None
        self.shielded = False
        """True while the request gives back what it holds: then it must not be interrupted."""

    def interrupt(self, error: BaseException) -> None:
        """Raise `error` where the request waits, ClientGone where it waits for its client to read.

        Call in the event loop. A shielded request is left alone.
        """
        if not self.shielded:
            self._greenlet.throw(error if self._is_writable() else ClientGone())

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


class Alarm:
    """Calls `callback` in the event loop after so many seconds, then again and again until `close`."""

    __slots__ = ("_timer",)

    def __init__(self, seconds: float, again_seconds: float, callback: Callable[[], None]) -> None:
        self._timer: Any = gevent.get_hub().loop.timer(seconds, again_seconds)
        self._timer.start(callback)

    def close(self) -> None:
        """Idempotent."""
        self._timer.close()


def is_readable(fd: int) -> bool:
    """Whether a read would return at once, with data or with the end. Does not wait."""
    return _poll_now(fd, select.POLLIN)


def _has_hung_up(fd: int) -> bool:
    return _poll_now(fd, _HANG_UP)


def _poll_now(fd: int, events: int) -> bool:
    poll = _poll()
    poll.register(fd, events)
    return bool(poll.poll(0))
