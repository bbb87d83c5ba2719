"""Several gateways, each with a state of its own, behind one nginx; and callers who ask them."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.analysis import find_problem
from bench.answer import read_answer
from bench.framing import Reads, Response
from bench.request import split_address
from demo.gateway import GatewayProcess
from tests.deploy.front import INSTANCE, Nginx, find_port, wait_until

CALL_SECONDS = 40
CHUNKS, PACE_MS, PIECE_BYTES = 10, 60, 60
_GOLDEN_RATIO = (5**0.5 - 1) / 2
QUESTION = f"[[chunks n={CHUNKS} pace={PACE_MS} size={PIECE_BYTES} stamp=1]]"


class Fleet:
    """Instances by their address, `127.0.0.1:PORT`, which stays the same when one is started again."""

    def __init__(self, upstream_url: str, directory: Path, **settings: str) -> None:
        self._upstream_url = upstream_url
        self._directory = directory
        self._settings = settings
        self.instances: dict[str, GatewayProcess] = {}

    def start(self, count: int, **settings: str) -> list[str]:
        """So many more, at the same time. `{n}` in a setting is their number, from 1."""
        added = {}
        for number in range(len(self.instances) + 1, len(self.instances) + count + 1):
            port = find_port()
            address = f"127.0.0.1:{port}"
            directory = self._directory / f"instance-{number}"
            directory.mkdir()
            own = {name: value.replace("{n}", str(number)) for name, value in settings.items()}
            own |= {"PORT": str(port), "GLM_DRAIN_FILE": str(directory / "drain")}
            added[address] = GatewayProcess(self._upstream_url, directory, **(self._settings | own))
        self.instances |= added
        with ThreadPoolExecutor() as threads:
            list(threads.map(GatewayProcess.start, added.values()))
        return list(added)

    def close(self) -> None:
        for gateway in self.instances.values():
            gateway.kill()  # quick; how a gateway ends properly is tested where it matters

    def directory(self, address: str) -> Path:
        return self._directory / f"instance-{list(self.instances).index(address) + 1}"

    def is_ready(self, address: str) -> bool:
        return call(f"http://{address}", "/health/ready")[0] == 200

    def list_conversations(self, address: str) -> set[str]:
        """Those that the instance still has to delete upstream."""
        with closing(sqlite3.connect(self.directory(address) / "state.sqlite3")) as state:
            return {row[0] for row in state.execute("SELECT id FROM conversation")}


@dataclass(slots=True)
class Visit:
    """One question. `problem` is empty where every character came and the answer ended well."""

    caller: str
    begun: float
    instance: str = ""
    problem: str = ""
    ended: float = 0.0


@dataclass(slots=True)
class Crowd:
    """Callers, each asking again and again on `lanes` connections at a time, until the end of `asking`."""

    url: str
    visits: list[Visit] = field(default_factory=list)
    """Also those that are not over yet."""
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self, lanes: Iterable[str]) -> Iterator[None]:
        """One lane for each of these credentials; they come evenly, but in step with nothing."""
        threads = [
            threading.Thread(target=self._ask_on, args=(caller, number * _GOLDEN_RATIO % 1), daemon=True)
            for number, caller in enumerate(lanes)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(CALL_SECONDS)
        assert not any(thread.is_alive() for thread in threads)

    def wait_for_answers(self, count: int, seconds: float = CALL_SECONDS) -> None:
        """Until so many answers more than now are whole."""
        wanted, deadline = self._whole() + count, time.monotonic() + seconds
        while self._whole() < wanted:
            assert time.monotonic() < deadline, f"only {len(self.visits)} answers: {self.visits[-3:]}"
            time.sleep(0.02)

    def wait_for_stream(self, instance: str) -> None:
        """Until this instance has begun an answer that is not over."""
        wait_until(
            lambda: any(visit.instance == instance and not visit.ended for visit in list(self.visits)),
            "nothing is streamed",
        )

    def _whole(self) -> int:
        return sum(bool(visit.ended) and not visit.problem for visit in list(self.visits))

    def _ask_on(self, caller: str, pause: float) -> None:
        self._over.wait(pause)
        while not self._over.is_set():
            visit = Visit(caller, time.monotonic())
            self.visits.append(visit)
            ask(self.url, visit)
            if visit.problem:
                self._over.wait(0.2)


def ask(url: str, visit: Visit) -> None:
    """One streamed answer, looked at character by character; fills in how it went."""
    host, port, _ = split_address(url)
    connection = http.client.HTTPConnection(host, port, timeout=CALL_SECONDS)
    body = {"model": "glm", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    pieces: Reads = []
    status = 0
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), build_headers(visit.caller))
        response = connection.getresponse()
        status, visit.instance = response.status, read_instance(response)
        while piece := response.read1(65536):
            pieces.append((time.monotonic_ns(), piece))
        visit.problem = find_problem(read_answer(Response(status, pieces), "stream"), CHUNKS, PIECE_BYTES)
    except (OSError, http.client.HTTPException) as error:
        visit.problem = f"cut: {type(error).__name__}" if status == 200 else f"no answer: {error!r}"
    finally:
        connection.close()
    visit.ended = time.monotonic()


def call(url: str, path: str, caller: str = "", method: str = "GET") -> tuple[int, str, bytes]:
    """Status, the instance that answered where a balancer tells it, and the body."""
    host, port, _ = split_address(url)
    connection = http.client.HTTPConnection(host, port, timeout=CALL_SECONDS)
    try:
        connection.request(method, path, headers=build_headers(caller) if caller else {})
        response = connection.getresponse()
        return response.status, read_instance(response), response.read()
    finally:
        connection.close()


def find_owners(url: str, callers: Iterable[str]) -> dict[str, str]:
    """Where the balancer sends each of them."""
    return {caller: call(url, "/ping", caller)[1] for caller in callers}


def build_headers(caller: str) -> dict[str, str]:
    """`caller` is what stands behind `Bearer`, or a whole header: `x-api-key: demo-a`."""
    name, _, value = caller.rpartition(": ")
    shown = {name: value} if name else {"Authorization": f"Bearer {value}"}
    return shown | {"Content-Type": "application/json"}


def spell(caller: str) -> list[str]:
    """The headers in which one credential may come."""
    doors = ("Authorization: Bearer", "Authorization: bearer  ", "Authorization: Bearer Bearer")
    return [*(f"{door} {caller}" for door in doors), f"x-api-key: {caller}", f"x-api-key: Bearer {caller}"]


def read_instance(response: http.client.HTTPResponse) -> str:
    """The last of the addresses that were tried."""
    return (response.getheader(INSTANCE) or "").split(",")[-1].strip()


def reload_nginx(nginx: Nginx, fleet: Fleet, out: Iterable[str] = ()) -> None:
    """All instances of the fleet, those in `out` marked as the recipe says."""
    left_out = set(out)
    nginx.reload(f"{address} down" if address in left_out else address for address in fleet.instances)
