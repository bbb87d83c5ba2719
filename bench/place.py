"""What is measured and where: the upstream emulator, a gateway in front of it, and how to ask both."""

from __future__ import annotations

import http.client
import json
import math
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bench.load import Lane
from bench.process import Memory, ProcessTree, Program, ProgramFailed
from bench.request import build_chat, build_refresh, build_upstream_stream, split_address
from bench.scenario import SHORT_CHUNKS, Case, build_message
from demo.gateway import GatewayProcess

_OPEN_FILES = 8192
_START_SECONDS = 30
_WARMERS = 8
_PING_PAUSE_SECONDS = 0.002
_GOLDEN_RATIO = (5**0.5 - 1) / 2


class Upstream:
    """The upstream emulator, wherever it runs."""

    def __init__(self, url: str, processes: ProcessTree | None = None) -> None:
        self.url = url
        self.processes = processes

    def state(self) -> dict[str, Any]:
        """What its control API tells: see upstream_emulator/README.md. Raises OSError, ProgramFailed."""
        request = "GET /_emulator/state HTTP/1.1\r\nHost: bench\r\n\r\n"
        state: dict[str, Any] = json.loads(exchange_once(self.url, request))
        return state

    def list_requests(self) -> list[dict[str, Any]]:
        """What it was asked, in order. Raises OSError, ProgramFailed."""
        request = "GET /_emulator/requests HTTP/1.1\r\nHost: bench\r\n\r\n"
        listed: list[dict[str, Any]] = json.loads(exchange_once(self.url, request))
        return listed

    def build_lanes(self, case: Case) -> list[Lane]:
        """The same load without a gateway between: the client speaks to the upstream itself."""
        return [
            Lane(start, [build_upstream_stream(self.url, self._log_in(f"demo-d{number}"), case.message)])
            for number, start in list_starts(case)
        ]

    def _log_in(self, refresh_token: str) -> str:
        document = json.loads(exchange_once(self.url, build_refresh(self.url, refresh_token)))
        token: str = document["result"]["access_token"]
        return token


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway. `key` may hold `{n}`, the number of the client, so that each has its own account."""

    url: str
    processes: ProcessTree
    key: str
    model: str
    idle: Memory
    start_seconds: float
    deletes_at_once: bool = False
    """It was told to leave no conversation of a short answer behind."""

    def build_lanes(self, case: Case) -> list[Lane]:
        return [
            Lane(start, [self.build(number, case.message, case)] * case.rounds)
            for number, start in list_starts(case)
        ]

    def build_warming_lanes(self, case: Case) -> list[Lane]:
        """One short answer for every account that the case uses, few at a time."""
        message = build_message(SHORT_CHUNKS, 0)
        whole = replace(case, streamed=False, history_bytes=0)
        requests = [self.build(number, message, whole) for number in range(case.streams)]
        return [Lane(0.0, requests[first::_WARMERS]) for first in range(min(_WARMERS, case.streams))]

    def build(self, number: int, message: str, case: Case) -> str:
        return build_chat(
            self.url,
            self.key.replace("{n}", str(number)),
            self.model,
            message,
            stream=case.streamed,
            history=case.history,
            offers_tools=case.offers_tools,
        )


def list_starts(case: Case) -> list[tuple[int, float]]:
    """The number of every client and when it comes, in seconds: evenly, but in step with nothing.

    Clients that come a whole number of paces apart would get all their chunks in the same instant.
    """
    return [(number, number * _GOLDEN_RATIO % 1 * case.arrival_seconds) for number in range(case.streams)]


@contextmanager
def start_upstream() -> Iterator[Upstream]:
    """The upstream emulator as a process of its own."""
    with Program("upstream_emulator") as program:
        url = program.read_line(_START_SECONDS).removeprefix("listening ")
        yield Upstream(url, ProcessTree(program.pid))


@contextmanager
def start_gateway(
    upstream: Upstream, key: str, model: str, settings: dict[str, str], application: str = "wsgi:app"
) -> Iterator[Gateway]:
    """This project's gateway, or another application, under gunicorn, with its first answer given."""
    begun = time.monotonic()
    with GatewayProcess(upstream.url, None, application, **settings) as process:
        gateway = attach_gateway(process.url, process.pid, key, model, begun)
        yield replace(gateway, deletes_at_once=settings.get("GLM_CONVERSATION_TTL") == "0")


def attach_gateway(url: str, pid: int, key: str, model: str, begun: float = math.nan) -> Gateway:
    """A gateway that runs already: asked once, so that what is loaded late is there.

    `begun` is when its start began, on the monotonic clock. Raises ProgramFailed.
    """
    request = build_chat(url, key.replace("{n}", "0"), model, build_message(SHORT_CHUNKS, 0), stream=False)
    exchange_once(url, request)
    seconds = time.monotonic() - begun
    time.sleep(0.5)
    processes = ProcessTree(pid)
    return Gateway(url, processes, key, model, processes.memory(), seconds)


def exchange_once(url: str, request: str) -> bytes:
    """The body that answers one request. Raises ProgramFailed where it is no success, OSError."""
    host, port, _ = split_address(url)
    lines, _, body = request.partition("\r\n\r\n")
    method, path, _ = lines.split("\r\n")[0].split(" ")
    headers = dict(line.split(": ", 1) for line in lines.split("\r\n")[1:])
    connection = http.client.HTTPConnection(host, port, timeout=_START_SECONDS)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise ProgramFailed(f"{url} answered HTTP {response.status}: {data[:300].decode('utf-8', 'replace')}")
    return data


def list_ping_waits(url: str, is_over: Callable[[], bool]) -> list[float]:
    """How long the gateway took for each `/ping`, in milliseconds, one after the other until it is over.

    Its event loop answers between two pieces of work: the longest wait shows the longest of them.
    """
    host, port, _ = split_address(url)
    connection, waits = http.client.HTTPConnection(host, port, timeout=_START_SECONDS), []
    try:
        while not is_over():
            begun = time.monotonic()
            connection.request("GET", "/ping")
            connection.getresponse().read()
            waits.append((time.monotonic() - begun) * 1e3)
            time.sleep(_PING_PAUSE_SECONDS)
    finally:
        connection.close()
    return waits


def allow_open_files() -> None:
    """Let this process and those it starts hold a connection for every client, if the system lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
