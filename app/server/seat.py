"""The open connections, and which of them are closed when there are too many.

A worker holds so many and no more; whoever comes then would wait in the backlog, /health included. So the
last seats are kept free: the connection is closed that has kept the server waiting longest for its bytes,
those between or in the heads of requests first, then those whose body is on its way. One whose request is
being answered is never closed here: answers and watches have bounds of their own.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

MAX_UNFINISHED_HEAD_BYTES = 32 * 1024 * 1024
"""Of all unfinished heads together; those of usual size (`_USUAL_HEAD_BYTES`) are not counted."""

_USUAL_HEAD_BYTES = 8192
_FRESH_SECONDS = 1.0
"""So long a new connection may take for its head before it counts as idle."""


class Seats:
    """Used in the thread of the event loop alone; nothing here waits."""

    def __init__(self, count: int, spare: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Of `count` seats `spare` are kept free for who comes next."""
        self._most_taken = max(1, count - spare)
        self._clock = clock
        # Mutable: since when who waits; the longest comes first.
        self._waiting: dict[Seat, float] = {}
        self._sending: dict[Seat, float] = {}
        self._closing: set[Seat] = set()
        self._head_bytes: dict[Seat, int] = {}
        self._all_head_bytes = 0
        self.taken = 0

    def __repr__(self) -> str:
        return (
            f"<Seats taken={self.taken} waiting={len(self._waiting)} sending={len(self._sending)} "
            f"closing={len(self._closing)}>"
        )

    def take(self, connection: socket.socket) -> Seat:
        """For a connection that was accepted; it must `leave`."""
        self.taken += 1
        while self.taken - len(self._closing) > self._most_taken and (longest := self._find_longest()):
            self.close(longest)
        seat = Seat(self, connection)
        self.wait(seat)
        return seat

    def wait(self, seat: Seat) -> None:
        """Nothing is asked, or the head is not complete, or what is left of a body is thrown away."""
        if seat not in self._closing:
            self._sending.pop(seat, None)
            self._waiting.setdefault(seat, self._clock())

    def hold_head(self, seat: Seat, count: int) -> None:
        """So many bytes of an unfinished head are held for `seat`."""
        if count <= _USUAL_HEAD_BYTES or seat in self._closing:
            return
        self._all_head_bytes += count - self._head_bytes.get(seat, 0)
        self._head_bytes[seat] = count
        while self._all_head_bytes > MAX_UNFINISHED_HEAD_BYTES:
            self.close(next(iter(self._head_bytes)))

    def send(self, seat: Seat) -> None:
        """The head is complete, the body is on its way."""
        if seat not in self._closing:
            self._waiting.pop(seat, None)
            self._sending.setdefault(seat, self._clock())
            self._forget_head(seat)

    def work(self, seat: Seat) -> None:
        """The request is complete: its client waits for us."""
        self._waiting.pop(seat, None)
        self._sending.pop(seat, None)

    def close(self, seat: Seat) -> None:
        """Its greenlet, which waits in `recv`, meets an OSError or the end there."""
        self._forget(seat)
        self._closing.add(seat)
        with suppress(OSError):
            seat.connection.shutdown(socket.SHUT_RDWR)

    def close_waiting(self) -> None:
        """All between two requests, or in the head of one: for a shutdown, which they would hold up."""
        for seat in list(self._waiting):
            seat.read_no_more()

    def leave(self, seat: Seat) -> None:
        self.taken -= 1
        self._forget(seat)
        self._closing.discard(seat)

    def _find_longest(self) -> Seat | None:
        waiting, sending = next(iter(self._waiting), None), next(iter(self._sending), None)
        if waiting is None or sending is None:
            return waiting or sending
        return waiting if self._clock() - self._waiting[waiting] >= _FRESH_SECONDS else sending

    def _forget(self, seat: Seat) -> None:
        self.work(seat)
        self._forget_head(seat)

    def _forget_head(self, seat: Seat) -> None:
        self._all_head_bytes -= self._head_bytes.pop(seat, 0)


class Seat:
    """What one connection is at. A client that is closed finds its socket shut down."""

    __slots__ = ("_seats", "connection")

    def __init__(self, seats: Seats, connection: socket.socket) -> None:
        self._seats = seats
        self.connection = connection

    def wait(self) -> None:
        self._seats.wait(self)

    def hold_head(self, count: int) -> None:
        self._seats.hold_head(self, count)

    def send(self) -> None:
        self._seats.send(self)

    def work(self) -> None:
        self._seats.work(self)

    def read_no_more(self) -> None:
        """What has come already is read and answered."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)

    def leave(self) -> None:
        self._seats.leave(self)
