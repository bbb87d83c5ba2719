"""Honest clients beside an attack, and what they notice of it."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

_PING_SECONDS = 30.0


@dataclass(slots=True)
class Notice:
    """What an honest client noticed. Mutable: filled by threads, each its own fields."""

    stream_pieces: int = 0
    stream_gap_seconds: float = 0.0
    stream_end: str = "open"
    pings: int = 0
    ping_seconds: float = 0.0
    failed_pings: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)


def listen_to_stream(host: str, port: int, notice: Notice) -> None:
    """Every piece of an answer that does not end; the longest silence between two."""
    body = b'{"stream":true,"messages":[{"role":"user","content":"[[chunks n=1000000 pace=20]]"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo-honest\r\n"
    with socket.create_connection((host, port), timeout=5) as client:
        client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        last = time.monotonic()
        while not notice.is_over.is_set():
            try:
                data = client.recv(65_536)
            except TimeoutError:
                data = b"."
            except OSError:
                data = b""
            now = time.monotonic()
            notice.stream_gap_seconds = max(notice.stream_gap_seconds, now - last)
            if not data:
                notice.stream_end = "cut"
                return
            if data != b".":
                last = now
                notice.stream_pieces += 1


def ask_for_pings(host: str, port: int, notice: Notice) -> None:
    """Ten times a second, each on a new connection."""
    while not notice.is_over.wait(0.1):
        begun = time.monotonic()
        try:
            with socket.create_connection((host, port), timeout=_PING_SECONDS) as client:
                client.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                good = b"pong" in client.recv(65_536) + client.recv(65_536)
        except OSError:
            good = False
        notice.pings += 1
        notice.failed_pings += not good
        notice.ping_seconds = max(notice.ping_seconds, time.monotonic() - begun)


def read_memory(pid: int, name: str) -> float:
    """`VmRSS` or `VmHWM` of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0
