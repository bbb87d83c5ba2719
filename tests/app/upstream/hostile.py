"""Plays of an upstream that is slow on purpose, or never stops; and what such a one costs the event loop."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from contextlib import suppress

import gevent

# Longer than any deadline of a test, and shorter than what a test may take.
PLAY_SECONDS = 20.0

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = b'{"status":0,"result":{"access_token":"a.b.c","file_id":"f","file_url":"https://x/y"}}'


class Endless:
    """A play that goes on until its client leaves, but no longer than a test can wait for."""

    def __init__(self, begin: bytes, piece: bytes, end: bytes, pause_seconds: float) -> None:
        self._begin, self._piece, self._end = begin, piece, end
        self._pause_seconds = pause_seconds
        self.was_left = False
        """The client of the last connection went away before the end."""

    def __call__(self, connection: socket.socket) -> None:
        ends_at = time.monotonic() + PLAY_SECONDS
        self.was_left = True
        with suppress(OSError):
            connection.sendall(self._begin)
            while time.monotonic() < ends_at:
                connection.sendall(self._piece)
                threading.Event().wait(self._pause_seconds)
            connection.sendall(self._end)
            self.was_left = False


def trickle(begin: bytes, drop: bytes, end: bytes = b"") -> Endless:
    """`begin`, then `drop` again and again, never silent for long, then `end`."""
    return Endless(begin, drop, end, 0.02)


def flood(begin: bytes, wave: bytes) -> Endless:
    """`begin`, then `wave` as fast as it is taken."""
    return Endless(begin, wave * (1 + 262_144 // len(wave)), b"", 0.0)


# Each ends as a good answer, if it is waited for: a call that gives up must have looked at the clock.
TRICKLES: dict[str, Endless] = {
    "document": trickle(HEAD + b"Connection: close\r\n\r\n", b" ", GOOD),
    "chunked document": trickle(CHUNKED, b"1\r\n \r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)),
    "size line": trickle(CHUNKED + b"%x;" % len(GOOD), b"x", b"\r\n%b\r\n0\r\n\r\n" % GOOD),
    "trailer": trickle(CHUNKED + b"%x\r\n%b\r\n0\r\n" % (len(GOOD), GOOD), b"a: b\r\n", b"\r\n"),
    "status line": trickle(b"HTTP/1.1 200 ", b"O", b"\r\nContent-Length: %d\r\n\r\n%b" % (len(GOOD), GOOD)),
    "header": trickle(HEAD + b"X: ", b"x", b"\r\nContent-Length: %d\r\n\r\n%b" % (len(GOOD), GOOD)),
    "announcement": trickle(
        b"HTTP/1.1 103 Early Hints\r\nX: ",
        b"x",
        b"\r\n\r\n" + HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(GOOD), GOOD),
    ),
    "gzip": trickle(
        HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n", gzip.compress(b""), gzip.compress(GOOD)
    ),
}

# What never ends at all, however fast it is read.
FLOODS: dict[str, Endless] = {
    "document": flood(HEAD + b"Connection: close\r\n\r\n", b" "),
    "small chunks": flood(CHUNKED, b"1\r\n \r\n"),
    "extensions": flood(CHUNKED, b"1;" + b"x" * 4000 + b"\r\n \r\n"),
    "trailer": flood(CHUNKED + b"0\r\n", b"a: b\r\n"),
    "size line": flood(CHUNKED, b"1"),
    "status line": flood(b"HTTP/1.1 200 ", b"O"),
    "header": flood(HEAD + b"X: ", b"x"),
    "headers": flood(HEAD, b"a: b\r\n"),
    "folded header": flood(HEAD + b"X: x\r\n", b" x\r\n"),
    "100 Continue": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "102 Processing": flood(b"", b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"),
    "103 Early Hints": flood(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "gzip members": flood(HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n", gzip.compress(b"")),
}


class LoopWatch:
    """`with LoopWatch() as watch:` measures how this thread's event loop is held meanwhile."""

    def __init__(self, pause_seconds: float = 0.001) -> None:
        """Without a pause every single turn that is given is counted."""
        self._pause_seconds = pause_seconds
        self.turns = 0
        self.longest_seconds = 0.0
        """Of this thread's own CPU time, so that a busy machine changes nothing."""
        self._last = 0.0

    def __enter__(self) -> LoopWatch:
        self._last = time.thread_time()
        self._greenlet = gevent.spawn(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._note()
        self._greenlet.kill()

    def _run(self) -> None:
        while True:
            self._note()
            self.turns += 1
            gevent.sleep(self._pause_seconds)

    def _note(self) -> None:
        now = time.thread_time()
        self.longest_seconds = max(self.longest_seconds, now - self._last)
        self._last = now
