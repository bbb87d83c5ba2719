"""An upstream that plays bytes: each connection to it follows a script, and what it received is kept."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Sequence

from tests.loopback import LoopbackServer

Play = Callable[[socket.socket], None]
"""Answers one request that has been read; returning keeps the connection, closing it ends its script."""


class ScriptedServer(LoopbackServer):
    """Connection n follows `scripts[n]`, one step a request. Further connections are closed at once."""

    def __init__(self, *scripts: Sequence[Play]) -> None:
        super().__init__()
        self._scripts = scripts
        self.requests: list[bytes] = []
        self.url = f"http://{self.host}:{self.port}"

    def serve(self, connection: socket.socket, number: int) -> None:
        with connection:
            connection.settimeout(5)
            for play in self._scripts[number] if number < len(self._scripts) else ():
                request = read_request(connection)
                if not request:
                    return
                self.requests.append(request)
                play(connection)


def read_request(connection: socket.socket) -> bytes:
    """One request with its body; empty where the client closed the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.lower() for line in head.split(b"\r\n")]
    (length,) = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")]
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(
    body: bytes, *headers: bytes, status: bytes = b"200 OK", kind: bytes = b"application/json"
) -> Play:
    """A whole answer with a length."""
    lines = [b"HTTP/1.1 " + status, b"Content-Type: " + kind, b"Content-Length: %d" % len(body), *headers]
    return lambda connection: connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)


def hang_up(connection: socket.socket) -> None:
    """Close without an answer."""
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket) -> None:
    """Close as a machine does that knows nothing of the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
