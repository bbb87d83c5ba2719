"""One client connection: requests are taken off it in order, each is answered through an `Exchange`.

The client's going away is noticed the moment the socket says so, whether or not anything is being written,
because reading never stops. A client that reads slowly pauses its own exchange (`Exchange.paused`); nothing
is buffered for it beyond the transport's high-water mark.
"""

from __future__ import annotations

import asyncio
import email.utils
import http
import logging
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import cast

from upstream_emulator.request import BadRequest, Request, RequestParser

MAX_PIPELINED_BYTES = 1024 * 1024
EVENT_STREAM = "text/event-stream; charset=utf-8"
LINGER_ZERO = struct.pack("ii", 1, 0)

logger = logging.getLogger("upstream_emulator")


class Exchange:
    """One request and the right to answer it once: `reply`, or `open_stream`, `write`... and an ending.

    `on_gone` is called at most once, when the client left before the answer was complete; after that, and
    after any ending, every method is a no-op. `on_writable` is called when a paused client reads again.
    """

    __slots__ = (
        "_connection",
        "_transport",
        "closed",
        "on_gone",
        "on_writable",
        "paused",
        "request",
        "status",
    )

    def __init__(self, connection: Connection, transport: asyncio.Transport, request: Request) -> None:
        self._connection = connection
        self._transport = transport
        self.request = request
        self.status: int | None = None
        self.closed = False
        self.paused = connection.paused
        self.on_gone: Callable[[], None] | None = None
        self.on_writable: Callable[[], None] | None = None

    @property
    def connection(self) -> Connection:
        return self._connection

    def reply(
        self, status: int, content_type: str, body: bytes, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Answers with a whole body and keeps the connection."""
        if self.closed:
            return
        length = ("Content-Length", str(len(body)))
        self._transport.write(self._head(status, content_type, (length, *headers)) + body)
        self._end()

    def open_stream(self, content_type: str = EVENT_STREAM) -> None:
        """Sends the head of an answer whose body comes in pieces (`Transfer-Encoding: chunked`)."""
        if not self.closed:
            extra = (("Transfer-Encoding", "chunked"), ("Cache-Control", "no-cache"))
            self._transport.write(self._head(200, content_type, extra))

    def write(self, data: bytes) -> None:
        """Sends one non-empty piece of the body as one HTTP chunk.

        Who writes on without a pause is told of a client that left (`on_gone`) only afterwards.
        """
        if not (self.closed or self._transport.is_closing()):
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def finish(self) -> None:
        """Ends the body as HTTP wants it and keeps the connection."""
        if not self.closed:
            self._transport.write(b"0\r\n\r\n")
            self._end()

    def cut(self) -> None:
        """Closes the connection without ending the body; what was written still arrives."""
        if not self.closed:
            self.closed = True
            self._transport.close()

    def reset(self) -> None:
        """Resets the TCP connection (RST)."""
        if not self.closed:
            self.closed = True
            peer = cast(socket.socket, self._transport.get_extra_info("socket"))
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            self._transport.abort()

    def look_for_end(self) -> None:
        """Abandon the exchange now if its client has left, and the event loop has not come to that yet.

        One round of the loop may find a question, the end of its connection and somebody else's question, and
        reads both questions first.
        """
        if not self.closed and self._has_ended():
            self._connection.abort()

    def _has_ended(self) -> bool:
        peer = cast(socket.socket, self._transport.get_extra_info("socket"))
        try:
            with peer.dup() as own:
                return own.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def abandon(self) -> None:
        """The client is gone: nothing more is written, and whoever answers is told."""
        if not self.closed:
            self.closed = True
            if self.on_gone is not None:
                self.on_gone()

    def _head(self, status: int, content_type: str, headers: Iterable[tuple[str, str]]) -> bytes:
        self.status = status
        date = email.utils.formatdate(self._connection.clock(), usegmt=True)
        lines = [f"HTTP/1.1 {status} {_reason(status)}", "Server: nginx", f"Date: {date}"]
        lines.append(f"Content-Type: {content_type}")
        lines += [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _end(self) -> None:
        self.closed = True
        self._connection.exchange_ended()


class Connection(asyncio.Protocol):
    """The asyncio side: hands every request to `serve`, each when the one before it is answered."""

    def __init__(
        self,
        serve: Callable[[Exchange], None],
        open_connections: set[Connection],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self._serve = serve
        self._open_connections = open_connections
        self._parser = RequestParser()
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None
        self._broken = False
        self.paused = False
        self.counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open_connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.discard(self)
        self._transport = None
        if self._exchange is not None:
            self._exchange.abandon()

    def eof_received(self) -> bool:
        # A client that closed its side will not read an answer: half-closed connections are not kept.
        self.abort()
        return False

    def data_received(self, data: bytes) -> None:
        if self._broken:
            return
        self._parser.feed(data)
        if self._exchange is None:
            self._serve_next()
        elif self._parser.buffered_bytes > MAX_PIPELINED_BYTES:
            self.abort()

    def pause_writing(self) -> None:
        self.paused = True
        if self._exchange is not None:
            self._exchange.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        exchange = self._exchange
        if exchange is not None and exchange.paused:
            exchange.paused = False
            if exchange.on_writable is not None:
                exchange.on_writable()

    def exchange_ended(self) -> None:
        """The answer is complete: time for the next request, if this client will send one."""
        if self._exchange is not None and self._exchange.request.wants_close and self._transport is not None:
            self._transport.close()
        # Not in place: a client may have pipelined thousands of requests, and this must not recurse.
        asyncio.get_running_loop().call_soon(self._after_exchange)

    def abort(self) -> None:
        """Closes at once; an exchange that is still open learns that its client is gone."""
        if self._exchange is not None:
            self._exchange.abandon()
        if self._transport is not None:
            self._transport.abort()

    def _after_exchange(self) -> None:
        self._exchange = None
        if self._transport is not None and not self._transport.is_closing():
            self._serve_next()

    def _serve_next(self) -> None:
        transport = self._transport
        if transport is None:
            return
        try:
            request = self._parser.next_request()
        except BadRequest as error:
            self._refuse(transport, error)
            return
        if request is not None:
            self._begin(Exchange(self, transport, request))
        elif self._parser.awaits_continue:
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _begin(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._serve(exchange)

    def _refuse(self, transport: asyncio.Transport, error: BadRequest) -> None:
        self._broken = True
        head = f"HTTP/1.1 {error.status} {_reason(error.status)}\r\nContent-Length: 0\r\nConnection: close"
        transport.write(head.encode("ascii") + b"\r\n\r\n")
        transport.close()


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
