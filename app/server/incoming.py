"""What one client sends, read with bounds on bytes, on time, and on how long the event loop is held.

gevent's `recv` does not give way where bytes are there already, so a client that sends without pause would
have the loop to itself, and no timer would fire: after so many bytes or milliseconds every other greenlet
gets its turn, and the clock is looked at before each `recv`.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec
from gunicorn.http.errors import NoMoreData
from gunicorn.http.unreader import SocketUnreader

from app import hub
from app.catalogue.message import Message
from app.catalogue.request import BODY_LATE, HEAD_LATE
from app.core.errors import RequestTimeout
from app.server.connection_slots import ConnectionSlot
from app.server.head import HeadLimits, HeadScanner, Verdict

_RECEIVE_BYTES = 65_536
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Bounds(msgspec.Struct, frozen=True):
    """`idle_seconds` are from an answer to the next request; `request_seconds` for a head, and for a body."""

    idle_seconds: float = 75.0
    request_seconds: float = 60.0
    head: HeadLimits = msgspec.field(default_factory=HeadLimits)


class FairShare:
    """Gives way after so many bytes, or so much time, of one greenlet's work. `turns` counts how often."""

    __slots__ = ("_begun_at", "_bytes", "_clock", "_give_way", "turns")

    MAX_BYTES = 65_536
    MAX_SECONDS = 0.001

    def __init__(self, clock: Callable[[], float], cooperate: Callable[[], None]) -> None:
        self._clock = clock
        self._give_way = cooperate
        self._bytes = 0
        self._begun_at = clock()
        self.turns = 0

    def begin(self) -> None:
        """Others had their turn just now."""
        self._bytes = 0
        self._begun_at = self._clock()

    def spend(self, count: int = 0, waited_seconds: float = 0.0) -> None:
        """Work on `count` more bytes comes next, which were waited for so long.

        Others had their turn meanwhile if that was long; or the machine is busy. So bytes count in any case.
        """
        self._bytes += count
        now = self._clock()
        if waited_seconds >= self.MAX_SECONDS:
            self._begun_at = now
        if self._bytes >= self.MAX_BYTES or now - self._begun_at >= self.MAX_SECONDS:
            self.turns += 1
            self._give_way()
            self.begin()


class IncomingBytes(SocketUnreader):  # type: ignore[misc]
    """Stands where gunicorn's parser reads: heads are handed to it whole, bodies as they come."""

    def __init__(
        self,
        connection: socket.socket,
        slot: ConnectionSlot,
        bounds: Bounds,
        clock: Callable[[], float] = time.monotonic,
        cooperate: Callable[[], None] = hub.cooperate,
        enter_round: Callable[[], None] | None = None,
    ) -> None:
        """`enter_round` waits where very many connections have something to do at once."""
        super().__init__(connection)
        self.slot = slot
        self.share = FairShare(clock, cooperate)
        self.owes_continue = False
        """The client waits for `100 Continue` before it sends its body."""
        self._bounds = bounds
        self._clock = clock
        self._enter_round = enter_round
        self._is_first = True
        self._ends_at = clock() + bounds.request_seconds

    def read_head(self) -> None:
        """Have everything up to the end of a head in the buffer, or to where it is certainly wrong.

        Raises StopIteration where no request begins in time, NoMoreData where one breaks off, RequestTimeout
        where it takes too long, and HeadTooLarge.
        """
        self.slot.wait()
        scanner = HeadScanner(self._bounds.head)
        held = bytearray(self.take_buffered())
        if held:
            self.share.spend(len(held))
        else:
            held += self._await_request()
        if not self._is_first:
            self._ends_at = self._clock() + self._bounds.request_seconds
        self._is_first = False
        verdict = scanner.feed(bytes(held))
        while verdict is Verdict.MORE:
            self.slot.hold_head(len(held))
            piece = self._receive_in_time(_RECEIVE_BYTES, HEAD_LATE)
            if not piece:
                raise NoMoreData
            held += piece
            verdict = scanner.feed(piece)
        self.unread(bytes(held))
        self._ends_at = self._clock() + self._bounds.request_seconds

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes of a body. Raises RequestTimeout where all of it takes longer than it may."""
        if self.owes_continue:
            self.owes_continue = False
            self.sock.sendall(_CONTINUE)
        # Not the megabyte that gunicorn would receive at once: what the application does not take is copied
        # with every piece that it does take, and each connection that sends would have so much in one turn.
        size = self.mxchunk if size_hint is None else min(max(size_hint, self.mxchunk), _RECEIVE_BYTES)
        return self._receive_in_time(size, BODY_LATE)

    def discard(self, max_bytes: int, seconds: float) -> None:
        """Read on and throw away until the client has had its say, so that it comes to read our answer.

        Without this the end of the connection would be a reset, which overtakes the answer.
        """
        self.slot.wait()
        self._ends_at, left = self._clock() + seconds, max_bytes
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
            while left > 0 and (piece := self._receive(min(left, _RECEIVE_BYTES))):
                left -= len(piece)

    def _await_request(self) -> bytes:
        """The first bytes of the next request. Raises StopIteration where none come in time."""
        if not self._is_first:
            self._ends_at = self._clock() + self._bounds.idle_seconds
        try:
            piece = self._receive(self.mxchunk)
        except TimeoutError:
            piece = b""
        if not piece:
            raise StopIteration
        return piece

    def _receive_in_time(self, size: int, late: Message) -> bytes:
        try:
            return self._receive(size)
        except TimeoutError:
            raise RequestTimeout(late) from None

    def _receive(self, size: int) -> bytes:
        """Raises TimeoutError when the time is over, also if there are bytes to be had."""
        begun_at = self._clock()
        if begun_at >= self._ends_at:
            raise TimeoutError
        self.sock.settimeout(self._ends_at - begun_at)
        try:
            piece: bytes = self.sock.recv(size)
        finally:
            self.sock.settimeout(None)
        self.share.spend(len(piece), self._clock() - begun_at)
        if self._enter_round is not None:
            self._enter_round()
        return piece
