"""Attacks by how bytes come: heads, bodies and connections that do not end, or come without pause.

Each is one function `(target, ends_at)`: see attack.py.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

_MEBIBYTE = 1024 * 1024
TOKEN = b"Authorization: Bearer made-up-token-0123456789\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the gateway listens, and which of the lanes this is."""

    host: str
    port: int
    lane: int = 0
    flood_url: str = ""
    """Of the server that never pauses, where there is one."""

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=5)


Attack = Callable[[Target, float], None]


def send_tiny_chunks(target: Target, ends_at: float) -> None:
    """A chunked body of one byte a chunk, without credentials, where nobody reads it."""
    _send_body(target, ends_at, b"POST /ping HTTP/1.1\r\nHost: x\r\n")


def send_tiny_chunks_with_token(target: Target, ends_at: float) -> None:
    """The same where it is read: any token opens a gateway without keys."""
    _send_body(target, ends_at, b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + TOKEN)


def _send_body(target: Target, ends_at: float, head: bytes) -> None:
    chunks = b"1\r\nx\r\n" * 10_000
    with target.connect() as client:
        client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        while time.monotonic() < ends_at:
            client.sendall(chunks)


def send_polite_chunks(target: Target, ends_at: float) -> None:
    """One megabyte a second of them, with pauses in which others might have had their turn."""
    chunks = b"1\r\nx\r\n" * 3500
    with target.connect() as client:
        client.sendall(b"POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        while time.monotonic() < ends_at:
            client.sendall(chunks)
            time.sleep(0.02)


def send_endless_heads(target: Target, ends_at: float) -> None:
    """As many fields, and as long ones, as a limit for each of them lets through; the end never comes."""
    with target.connect() as client:
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n")
        for number in range(62):
            client.sendall(b"X-%d: " % number + b"x" * 65_500 + b"\r\n")
        wait_for_end(client, ends_at)


def drip_heads(target: Target, ends_at: float) -> None:
    """One long field in as many small packets as can be sent."""
    with target.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n")
        sent = 0
        while time.monotonic() < ends_at:
            client.sendall(b"xxxxxxxx" if sent % 60_000 else b"\r\nX-Drip: ")
            sent += 8


def stay_silent(target: Target, ends_at: float) -> None:
    """More connections than the gateway has seats, all lanes together; not one byte on any of them."""
    _hold_many(target, ends_at, lambda number: b"")


def begin_heads(target: Target, ends_at: float) -> None:
    """The same, with the beginning of a head on each."""
    _hold_many(target, ends_at, lambda number: b"GET /ping HTTP/1.1\r\nHo")


def begin_bodies(target: Target, ends_at: float) -> None:
    """The same, with a head and the first byte of a body on each."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    _hold_many(target, ends_at, lambda number: head + TOKEN + b"\r\n{")


def flood_watches(target: Target, ends_at: float) -> None:
    """A watch for each of 2000 made-up callers, one after the other in each lane."""
    head = b"GET /v1/watch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer made-up-caller-%d-%d\r\n\r\n"
    with ExitStack() as stack:
        for number in range(110):
            if time.monotonic() < ends_at:
                client = stack.enter_context(target.connect())
                client.sendall(head % (target.lane, number))
                client.recv(4096)
        time.sleep(max(0.0, ends_at - time.monotonic()))


def send_pipelined(target: Target, ends_at: float) -> None:
    """Requests without pause, their answers read as they come."""
    requests = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    with target.connect() as client:
        reader = threading.Thread(target=_read_on, args=(client,), daemon=True)
        reader.start()
        while time.monotonic() < ends_at:
            client.sendall(requests)
    reader.join()


def send_multipart(target: Target, ends_at: float) -> None:
    """A form as large as may be, full of what may begin a boundary."""
    head = b"POST /v1/images/edits HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    pieces = (b"\r\n--", b"\r\n--b\r\nA: b\r\n\r\n", b"\r", b"--b")
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    while time.monotonic() < ends_at:
        body = part + pieces[target.lane % 4] * (20 * _MEBIBYTE // len(pieces[target.lane % 4]))
        with target.connect() as client:
            client.sendall(head + TOKEN + b"Content-Length: %d\r\n\r\n" % len(body))
            client.sendall(body)
            wait_for_end(client, ends_at)


def _read_on(client: socket.socket) -> None:
    with suppress(OSError):
        while client.recv(65_536):
            pass


def _hold_many(target: Target, ends_at: float, build_request: Callable[[int], bytes]) -> None:
    with ExitStack() as stack:
        for number in range(110):
            if time.monotonic() < ends_at:
                client = stack.enter_context(target.connect())
                client.sendall(build_request(number))
        time.sleep(max(0.0, ends_at - time.monotonic()))


def send_unread_bodies(target: Target, ends_at: float) -> None:
    """Bodies as large as may be, and larger ones, for a path that takes none."""
    piece = b"x" * _MEBIBYTE
    with target.connect() as client:
        client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        while time.monotonic() < ends_at:
            client.sendall(piece)


def wait_for_end(client: socket.socket, ends_at: float) -> None:
    client.settimeout(max(0.1, ends_at - time.monotonic()))
    while client.recv(65_536):
        pass


CONNECTION_ATTACKS: dict[str, Attack] = {
    "tiny-chunks": send_tiny_chunks,
    "tiny-chunks-token": send_tiny_chunks_with_token,
    "polite-chunks": send_polite_chunks,
    "endless-heads": send_endless_heads,
    "dripped-heads": drip_heads,
    "silent": stay_silent,
    "begun-heads": begin_heads,
    "begun-bodies": begin_bodies,
    "watches": flood_watches,
    "unread-bodies": send_unread_bodies,
    "pipelined": send_pipelined,
    "multipart": send_multipart,
}
