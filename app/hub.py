"""The one module that knows gevent by name: waiting for sockets, deadlines, clients that go away.

Everything else blocks through the standard library, which gunicorn's gevent worker makes cooperative.

Rules of cancellation. A request is one greenlet; it is ended by an exception that is thrown into it where it
waits (queue, DNS, socket, lock). Code that does not wait is never interrupted.

    thrown by      what           when
    ClientWatch    ClientGone     the peer hung up while its reply is open
    Presence       ClientGone     the client has read nothing for GLM_CLIENT_WRITE_SECONDS
    Presence       ShuttingDown   the drain is over; ClientGone where the request waits for its client to read
    Deadline       its error      the time is over; only inside its own `with`

1. ClientGone is no Exception. Who catches BaseException gives back what it holds and raises again.
2. `interrupt` is how ClientWatch and Presence throw. Inside of `with Shield(seconds):` it waits: what was
   thrown is raised at the end of the block, or where the request waits once the seconds are over.
3. Two things are shielded. The first is naming what the upstream begins, for NAME_SECONDS: without its name
   nobody could delete it. The second is giving back, for as long as it takes: after a failed attempt, and at
   the end of the request (`Client.shield`, called by routes/journal.py). A Deadline inside comes through.
4. What must survive its request (a refresh, stopping an answer, a deletion) runs in a thread of its own, into
   which nobody throws.
5. Throwing is for callbacks of the event loop: the greenlet runs at once, up to where it waits next.

So a client leaves the queue: its socket is readable -> ClientWatch throws -> ClientGone comes out of
`waiter.turn.wait` in AccountPool.acquire, which leaves the queue and raises on -> the request's record is
closed.
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


def close_thread_loop() -> None:
    """For the end of a thread of the operating system's: nobody else closes the files that its loop holds.

    In the gateway's worker every thread is a greenlet of the one loop, which stays.
    """
    hub = gevent.get_hub()
    if not hub.main_hub:
        hub.destroy(destroy_loop=True)


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
            interrupt(self._greenlet, ClientGone())

    def close(self) -> None:
        """Idempotent. Must be called before the connection serves its next request."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None


class Shield:
    """`with Shield(seconds):` what is thrown in from outside is raised at the end of the block instead.

    The block may go on for `seconds` after that; None: for as long as it takes. What was put off takes the
    place of an error that the block ends with: who is gone stays gone.
    """

    __slots__ = ("_error", "_greenlet", "_seconds", "_timer")

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._greenlet = getcurrent()
        self._error: BaseException | None = None
        self._timer: Any = None

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_: object) -> None:
        error = self.end()
        if error is not None and self._greenlet in _shields:
            _shields[self._greenlet][-1].put_off(error)
        elif error is not None:
            raise error

    def begin(self) -> None:
        """Idempotent."""
        shields = _shields.setdefault(self._greenlet, [])
        if self not in shields:
            shields.append(self)

    def end(self) -> BaseException | None:
        """What was put off and not raised yet. Idempotent."""
        shields = _shields.pop(self._greenlet, [])
        if others := [shield for shield in shields if shield is not self]:
            _shields[self._greenlet] = others
        if self._timer is not None:
            self._timer.close()
        error, self._error = self._error, None
        return error

    def put_off(self, error: BaseException) -> None:
        """The first error counts: those who throw again mean the same."""
        if self._error is None:
            self._error = error
            if self._seconds is not None:
                self._timer = gevent.get_hub().loop.timer(self._seconds)
                self._timer.start(lambda: interrupt(self._greenlet, self.end() or error))


_shields: dict[Any, list[Shield]] = {}
"""The open shields of every greenlet that has one, the innermost last."""


def interrupt(greenlet: Any, error: BaseException) -> None:
    """Raise `error` where `greenlet` waits, or at the end of what it shields. Call in the event loop."""
    shields = _shields.get(greenlet)
    if shields:
        shields[-1].put_off(error)
    else:
        greenlet.throw(error)


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
