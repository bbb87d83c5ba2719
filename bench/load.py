"""The load generator, a process of its own: one thread, plain sockets, epoll, no parsing while it runs.

`python -m bench.load` reads a plan (JSON) from its input, prints `loaded` when the last answer is over and
then its findings (JSON). It shares the machine with what it measures and does as little as it can: while the
load runs it only notes what each read brought and when.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import select
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from bench.analysis import Exchange, Findings, analyse
from bench.answer import Kind
from bench.framing import EndFinder

_READ_BYTES = 262_144
_MAX_NAP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Lane:
    """A client that begins `start_seconds` into the run and asks one request after the other."""

    start_seconds: float
    requests: list[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send where, and what must come back. What is not over after `limit_seconds` has failed."""

    host: str
    port: int
    kind: Kind
    chunks: int
    piece_bytes: int
    limit_seconds: float
    lanes: list[Lane]


@dataclass(frozen=True, slots=True)
class Report:
    """What the load generator found. `cpu_seconds` is its own cost."""

    findings: Findings
    seconds: float
    cpu_seconds: float


class Client:
    """One lane at work: at most one connection and one open exchange."""

    def __init__(self, lane: Lane, address: tuple[str, int], epoll: select.epoll) -> None:
        self.start_seconds = lane.start_seconds
        self.exchanges: list[Exchange] = []
        self._requests = deque(request.encode("latin-1") for request in lane.requests)
        self._address = address
        self._epoll = epoll
        self._socket: socket.socket | None = None
        self._end = EndFinder()
        self._waits_for_connection = True
        self._unsent = memoryview(b"")

    @property
    def over(self) -> bool:
        return self._socket is None

    def begin(self) -> int:
        """Start connecting; returns the descriptor to watch."""
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waits_for_connection = True
        self._open_exchange()
        self._socket.connect_ex(self._address)
        self._epoll.register(self._socket, select.EPOLLOUT)
        return self._socket.fileno()

    def advance(self) -> bool:
        """The descriptor is ready. True when a new connection has to be begun for the next request."""
        if self._socket is None:
            return False
        try:
            if self._waits_for_connection:
                self._waits_for_connection = False
                self._send(self._socket)
                return False
            if self._unsent:
                self._send_more(self._socket)
                return False
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            return self._fail(f"connection: {type(error).__name__}")
        return self._take(self._socket, data)

    def give_up(self) -> None:
        """The time is over."""
        if self._socket is not None:
            self._fail("not done in time")
        while self._requests:
            self._requests.popleft()
            self.exchanges.append(Exchange(0, problem="not begun in time"))

    def _take(self, connection: socket.socket, data: bytes) -> bool:
        exchange = self.exchanges[-1]
        if data:
            exchange.reads.append((time.monotonic_ns(), data))
            if not self._end.feed(data):
                return False
        elif not self._end.ends_with_connection:
            return self._fail("connection closed before the end")
        if not data or self._end.closes or not self._requests:
            return self._close()
        self._open_exchange()
        try:
            self._send(connection)
        except OSError as error:
            return self._fail(f"connection: {type(error).__name__}")
        return False

    def _open_exchange(self) -> None:
        self._end = EndFinder()
        self.exchanges.append(Exchange(time.monotonic_ns()))

    def _send(self, connection: socket.socket) -> None:
        """Begin the next request; a connection that failed says so here."""
        self._unsent = memoryview(self._requests.popleft())
        self._send_more(connection)

    def _send_more(self, connection: socket.socket) -> None:
        """What there is room for; the rest when there is room again."""
        self._unsent = self._unsent[connection.send(self._unsent) :]
        self._epoll.modify(connection, select.EPOLLOUT if self._unsent else select.EPOLLIN)

    def _fail(self, problem: str) -> bool:
        self.exchanges[-1].problem = problem
        return self._close()

    def _close(self) -> bool:
        if self._socket is not None:
            self._epoll.unregister(self._socket)
            self._socket.close()
            self._socket = None
        return bool(self._requests)


def generate(plan: Plan) -> tuple[list[Exchange], float]:
    """Run the plan; returns every exchange and how many seconds it all took."""
    epoll = select.epoll()
    clients = [Client(lane, (plan.host, plan.port), epoll) for lane in plan.lanes]
    waiting = deque(sorted(clients, key=lambda client: client.start_seconds))
    watched: dict[int, Client] = {}
    begun = time.monotonic()
    while (waiting or watched) and (now := time.monotonic() - begun) < plan.limit_seconds:
        while waiting and waiting[0].start_seconds <= now:
            client = waiting.popleft()
            watched[client.begin()] = client
        for descriptor, _ in epoll.poll(_nap_seconds(waiting, now)):
            client = watched[descriptor]
            if client.advance():
                del watched[descriptor]
                watched[client.begin()] = client
            elif client.over:
                del watched[descriptor]
    seconds = time.monotonic() - begun
    for client in clients:
        client.give_up()
    epoll.close()
    return [exchange for client in clients for exchange in client.exchanges], seconds


def _nap_seconds(waiting: deque[Client], now: float) -> float:
    if not waiting:
        return _MAX_NAP_SECONDS
    return min(max(waiting[0].start_seconds - now, 0.0), _MAX_NAP_SECONDS)


def parse_plan(text: str) -> Plan:
    fields: dict[str, Any] = json.loads(text)
    return Plan(**fields | {"lanes": [Lane(**lane) for lane in fields["lanes"]]})


def parse_report(text: str) -> Report:
    fields: dict[str, Any] = json.loads(text)
    return Report(**fields | {"findings": Findings(**fields["findings"])})


def main() -> None:
    plan = parse_plan(sys.stdin.read())
    gc.disable()
    begun_cpu = time.process_time()
    exchanges, seconds = generate(plan)
    cpu_seconds = time.process_time() - begun_cpu
    print("loaded", flush=True)
    findings = analyse(exchanges, plan.kind, plan.chunks, plan.piece_bytes)
    print(json.dumps(dataclasses.asdict(Report(findings, seconds, cpu_seconds))), flush=True)


if __name__ == "__main__":
    main()
