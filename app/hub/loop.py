"""Waiting and being called: for sockets, names, moments; one turn for everybody else."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import gevent
from gevent import getcurrent
from gevent.monkey import get_original
from gevent.server import StreamServer
from gevent.threadpool import ThreadPool

_READ = 1
_getaddrinfo = get_original("socket", "getaddrinfo")

Deadline = gevent.Timeout
"""`with Deadline(seconds, error):` raises `error` in this greenlet when the time is over."""


def limit_accepts(count: int) -> None:
    """Let servers accept at most so many connections before others get their turn: who is here goes first."""
    StreamServer.max_accept = count


def call_in_loop(callback: Callable[[], None]) -> None:
    """Have `callback` called in the event loop soon. From signal handlers and other threads as well."""
    gevent.get_hub().loop.run_callback_threadsafe(callback)


def call_soon(callback: Callable[[], None]) -> None:
    """Have `callback` called in the event loop before it looks at its sockets again. In its thread alone."""
    gevent.get_hub().loop.run_callback(callback)


def cooperate() -> None:
    """Let every other greenlet that can go on have its turn: for loops that hardly ever wait.

    By a timer, not by `gevent.sleep(0)`: that comes back up to 50 times before the loop looks at a socket.
    """
    hub = gevent.get_hub()
    with hub.loop.timer(0.0) as timer:
        hub.wait(timer)


def send_all(sock: Any, data: bytes) -> None:
    """As `sendall`, without its preparations for what the kernel does not take at once. Not for nothing."""
    sent = sock.send(data)
    if sent < len(data):
        sock.sendall(memoryview(data)[sent:])


def close_thread_loop() -> None:
    """For the end of a thread of the operating system's: nobody else closes the files that its loop holds.

    In the gateway's worker every thread is a greenlet of the one loop, which stays.
    """
    hub = gevent.get_hub()
    if not hub.main_hub:
        hub.destroy(destroy_loop=True)


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


class RepeatingTimer:
    """Calls `callback` in the event loop after so many seconds, then again and again until `close`."""

    __slots__ = ("_timer",)

    def __init__(self, seconds: float, again_seconds: float, callback: Callable[[], None]) -> None:
        self._timer: Any = gevent.get_hub().loop.timer(seconds, again_seconds)
        self._timer.start(callback)

    def close(self) -> None:
        """Idempotent."""
        self._timer.close()
