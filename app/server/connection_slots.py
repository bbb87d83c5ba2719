"""The open connections, and which of them are closed when there are too many.

A worker holds so many and no more; whoever comes then would wait in the backlog, /health included. So the
last slots are kept free: the connection is closed that has kept the server waiting longest for its bytes,
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


class ConnectionSlots:
    """Used in the thread of the event loop alone; nothing here waits."""

    def __init__(self, count: int, spare: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Of `count` slots `spare` are kept free for who comes next."""
        self._max_taken = max(1, count - spare)
        self._clock = clock
        # Mutable: since when who waits; the longest comes first.
        self._waiting: dict[ConnectionSlot, float] = {}
        self._sending: dict[ConnectionSlot, float] = {}
        self._closing: set[ConnectionSlot] = set()
        self._head_bytes: dict[ConnectionSlot, int] = {}
        self._all_head_bytes = 0
        self.taken = 0

    def __repr__(self) -> str:
        return (
            f"<ConnectionSlots taken={self.taken} waiting={len(self._waiting)} sending={len(self._sending)} "
            f"closing={len(self._closing)}>"
        )

    def take(self, connection: socket.socket) -> ConnectionSlot:
        """For a connection that was accepted; it must `leave`."""
        self.taken += 1
        while self.taken - len(self._closing) > self._max_taken and (longest := self._find_longest()):
            self.close(longest)
        slot = ConnectionSlot(self, connection)
        self.wait(slot)
        return slot

    def wait(self, slot: ConnectionSlot) -> None:
        """Nothing is asked, or the head is not complete, or what is left of a body is thrown away."""
        if slot not in self._closing:
            self._sending.pop(slot, None)
            self._waiting.setdefault(slot, self._clock())

    def hold_head(self, slot: ConnectionSlot, count: int) -> None:
        """So many bytes of an unfinished head are held for `slot`."""
        if count <= _USUAL_HEAD_BYTES or slot in self._closing:
            return
        self._all_head_bytes += count - self._head_bytes.get(slot, 0)
        self._head_bytes[slot] = count
        while self._all_head_bytes > MAX_UNFINISHED_HEAD_BYTES:
            self.close(next(iter(self._head_bytes)))

    def send(self, slot: ConnectionSlot) -> None:
        """The head is complete, the body is on its way."""
        if slot not in self._closing:
            self._waiting.pop(slot, None)
            self._sending.setdefault(slot, self._clock())
            self._forget_head(slot)

    def work(self, slot: ConnectionSlot) -> None:
        """The request is complete: its client waits for us."""
        self._waiting.pop(slot, None)
        self._sending.pop(slot, None)

    def close(self, slot: ConnectionSlot) -> None:
        """Its greenlet, which waits in `recv`, meets an OSError or the end there."""
        self._forget(slot)
        self._closing.add(slot)
        with suppress(OSError):
            slot.connection.shutdown(socket.SHUT_RDWR)

    def close_waiting(self) -> None:
        """All between two requests, or in the head of one: for a shutdown, which they would hold up."""
        for slot in list(self._waiting):
            slot.read_no_more()

    def leave(self, slot: ConnectionSlot) -> None:
        self.taken -= 1
        self._forget(slot)
        self._closing.discard(slot)

    def _find_longest(self) -> ConnectionSlot | None:
        waiting, sending = next(iter(self._waiting), None), next(iter(self._sending), None)
        if waiting is None or sending is None:
            return waiting or sending
        return waiting if self._clock() - self._waiting[waiting] >= _FRESH_SECONDS else sending

    def _forget(self, slot: ConnectionSlot) -> None:
        self.work(slot)
        self._forget_head(slot)

    def _forget_head(self, slot: ConnectionSlot) -> None:
        self._all_head_bytes -= self._head_bytes.pop(slot, 0)


class ConnectionSlot:
    """What one connection is at. A client that is closed finds its socket shut down."""

    __slots__ = ("_slots", "connection")

    def __init__(self, slots: ConnectionSlots, connection: socket.socket) -> None:
        self._slots = slots
        self.connection = connection

    def wait(self) -> None:
        self._slots.wait(self)

    def hold_head(self, count: int) -> None:
        self._slots.hold_head(self, count)

    def send(self) -> None:
        self._slots.send(self)

    def work(self) -> None:
        self._slots.work(self)

    def read_no_more(self) -> None:
        """What has come already is read and answered."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)

    def leave(self) -> None:
        self._slots.leave(self)
