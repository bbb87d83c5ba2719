"""A web server of a few pages on a loopback socket, which can misbehave in every way a page can write."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

from tests.loopback import LoopbackServer

Page = Callable[[socket.socket], None]
"""Writes an answer; the connection is closed afterwards."""


class FileServer(LoopbackServer):
    """`pages` by path; `requests` holds the head of every request as it came."""

    def __init__(self, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        super().__init__(host)
        self._tls = tls
        self.url = f"http{'s' if tls else ''}://{host}:{self.port}"
        self.pages: dict[str, Page] = {}
        self.requests: list[str] = []
        self.leaving = threading.Event()

    def __exit__(self, *exc: object) -> None:
        self.leaving.set()
        super().__exit__(*exc)

    def serve(self, connection: socket.socket, number: int) -> None:
        # A client that leaves in the middle, or does not like the certificate, is no failure here.
        with contextlib.suppress(OSError), self._wrap(connection) as wrapped:
            wrapped.settimeout(5)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = wrapped.recv(65536)
                if not piece:
                    return
                head += piece
            self.requests.append(head.decode("latin-1"))
            target = self.requests[-1].split(" ")[1]
            self.pages.get(target.partition("?")[0], page(b"nothing here", status="404 Not Found"))(wrapped)

    def _wrap(self, connection: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection

    def drip(self, data: bytes, pause_seconds: float, then: bytes = b"") -> Page:
        """One byte after the other, for as long as anybody listens."""

        def write(connection: socket.socket) -> None:
            connection.sendall(then)
            while not self.leaving.wait(pause_seconds):
                connection.sendall(data)

        return write

    def hang(self, before: bytes = b"") -> Page:
        """Says what stands `before`, and then nothing until the client leaves."""

        def write(connection: socket.socket) -> None:
            connection.sendall(before)
            deadline = time.monotonic() + 40
            connection.settimeout(0.05)
            while time.monotonic() < deadline and not self.leaving.is_set():
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1):
                        return

        return write


def page(body: bytes, *headers: str, status: str = "200 OK", length: int | None = -1) -> Page:
    """An answer; `length` is what Content-Length says, -1 the truth, None nothing."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length < 0 else length}")
    head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")
    return lambda connection: connection.sendall(head + body)


def redirect(location: str, status: str = "302 Found") -> Page:
    return page(b"over there", f"Location: {location}", status=status)


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> Page:
    """An answer in HTTP chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end
    return page(body, "Transfer-Encoding: chunked", length=None)
