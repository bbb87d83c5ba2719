"""A client whose bytes are written down, and a clock that they move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from gunicorn.config import Config

from app.server.connection_slots import ConnectionSlots
from app.server.head import HeadLimits
from app.server.incoming import Bounds, IncomingBytes
from app.server.request import GatewayParser

BOUNDS = Bounds(idle_seconds=75, request_seconds=60, head=HeadLimits())


class ScriptedClient:
    """Stands for a socket: each `recv` gives one piece, after so many seconds of the clock.

    A piece is cut where `recv` asks for less. After the last piece it is silent until the time is over, or
    hangs up where `hangs_up` says so.
    """

    def __init__(self, pieces: Iterable[bytes], seconds: float = 0.0, *, hangs_up: bool = False) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._seconds = seconds
        self._hangs_up = hangs_up
        self._rest = b""
        self._timeout: float | None = None
        self.now = 1000.0
        self.received = 0
        self.turns = 0
        self.written = b""
        self.shut: list[int] = []

    def clock(self) -> float:
        return self.now

    def cooperate(self) -> None:
        self.turns += 1

    def settimeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        return self._timeout

    def recv(self, size: int) -> bytes:
        self.now += self._seconds
        piece = self._rest or next(self._pieces, b"")
        if not piece and not self._hangs_up and not self.shut:
            assert self._timeout is not None, "this would wait for ever"
            self.now += self._timeout
            raise TimeoutError
        self._rest = piece[size:]
        self.received += len(piece[:size])
        return piece[:size]

    def sendall(self, data: bytes) -> None:
        self.written += data

    def shutdown(self, how: int) -> None:
        self.shut.append(how)


def read_from(client: Any) -> IncomingBytes:
    slot = ConnectionSlots(10, 2).take(client)
    return IncomingBytes(client, slot, BOUNDS, client.clock, client.cooperate)


@pytest.fixture(scope="session")
def settings() -> Config:
    """gunicorn's, with what of ours concerns the parser."""
    config = Config()
    for name, value in {
        "limit_request_line": 4094,
        "limit_request_fields": 64,
        "limit_request_field_size": 65_600,
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
    }.items():
        config.set(name, value)
    return config


Parse = Callable[..., GatewayParser]


@pytest.fixture
def parse(settings: Config) -> Parse:
    """A parser of what a scripted client sends."""

    def build(client: ScriptedClient | bytes) -> GatewayParser:
        if isinstance(client, bytes):
            client = ScriptedClient([client], hangs_up=True)
        return GatewayParser(settings, read_from(client), ("127.0.0.1", 1))

    return build
