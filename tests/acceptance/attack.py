"""`python -m tests.acceptance.attack [NAME ...]`: what others notice while somebody attacks the gateway.

For each attack of the table a gateway of its own (real gunicorn, the embedded upstream, loopback alone) is
attacked from 20 connections at once out of another process. Meanwhile an honest client listens to a stream
and another one asks for /ping. Every attack is bounded in time and in connections, and everything ends by
itself.

A new attack is one function `(target, ends_at)` in connection_attacks.py or content_attacks.py: it runs once
in each of the 20 lanes, makes its own connections and returns soon after `ends_at`. Whatever OSError it
meets begins it anew.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.place import allow_open_files, start_upstream
from bench.process import Program
from demo.gateway import ROOT, GatewayProcess
from tests.acceptance.connection_attacks import CONNECTION_ATTACKS, Attack, Target
from tests.acceptance.content_attacks import CONTENT_ATTACKS, FLOOD_ATTACKS

LANES = 20
_PING_SECONDS = 30.0
_CALM_SECONDS = 2.0
_START_SECONDS = 30.0

ATTACKS: dict[str, Attack] = CONNECTION_ATTACKS | CONTENT_ATTACKS | FLOOD_ATTACKS


def run_attack(name: str, target: Target, seconds: float) -> None:
    """All lanes of one attack, in this process."""
    ends_at = time.monotonic() + seconds

    def run_lane(lane: int) -> None:
        while time.monotonic() < ends_at:
            try:
                ATTACKS[name](replace(target, lane=lane), ends_at)
            except OSError:  # the gateway defends itself
                time.sleep(0.01)

    allow_open_files()
    with ThreadPoolExecutor(LANES) as lanes:
        list(lanes.map(run_lane, range(LANES)))


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


@contextmanager
def start_flood_server() -> Iterator[str]:
    with Program("tests.acceptance.flood_server") as program:
        yield program.read_line(_START_SECONDS).removeprefix("listening ")


def measure(name: str, seconds: float, rest_seconds: float, is_over: Future[None]) -> str:
    """One row of the table. `is_over` is told when the attack is, and only the rest is waited for."""
    settings, flood_url = {}, ""
    with ExitStack() as stack:
        if name in FLOOD_ATTACKS:
            upstream_url = flood_url = stack.enter_context(start_flood_server())
            settings = {"GLM_FILES_ALLOW_PRIVATE": "1", "GLM_FILES_PORTS": str(urlsplit(flood_url).port)}
        else:
            upstream_url = stack.enter_context(start_upstream()).url
        gateway = stack.enter_context(GatewayProcess(upstream_url, None, **settings))
        worker = gateway.worker_pid
        try:
            notice, idle = attack_gateway(name, gateway, flood_url, seconds)
        finally:
            is_over.set_result(None)
        load = os.getloadavg()[0]
        survived = gateway.is_running and gateway.worker_pid == worker
        peak = read_memory(worker, "VmHWM") if survived else float("nan")
        time.sleep(rest_seconds)
        left = read_memory(worker, "VmRSS") if survived else float("nan")
        improper = sum(word in gateway.log() for word in ("Traceback", "unexpected failure"))
    return (
        f"| {name} | {notice.stream_gap_seconds:.2f} | {notice.stream_end} | {notice.ping_seconds:.2f} "
        f"| {notice.failed_pings}/{notice.pings} | {idle:.0f} | {peak:.0f} | {left:.0f} | {improper} "
        f"| {load:.1f} |"
    )


def attack_gateway(
    name: str, gateway: GatewayProcess, flood_url: str, seconds: float
) -> tuple[Notice, float]:
    """What was noticed from before the attack to after it, and the memory before, in MiB."""
    address = urlsplit(gateway.url)
    host, port, notice = address.hostname or "", address.port or 0, Notice()
    threads = [
        threading.Thread(target=task, args=(host, port, notice)) for task in (listen_to_stream, ask_for_pings)
    ]
    for thread in threads:
        thread.start()
    time.sleep(_CALM_SECONDS)
    idle = read_memory(gateway.worker_pid, "VmRSS")
    command = [sys.executable, "-m", "tests.acceptance.attack", "--lanes", name]
    command += [host, str(port), str(seconds), flood_url]
    subprocess.run(command, cwd=ROOT, check=False, timeout=seconds * 3 + 60)
    time.sleep(_CALM_SECONDS)
    notice.is_over.set()
    for thread in threads:
        thread.join()
    return notice, idle


def measure_all(names: list[str], seconds: float, rest_seconds: float) -> None:
    """One attack at a time; the gateways of those before rest meanwhile."""
    rows: list[Future[str]] = []
    with ThreadPoolExecutor(max(1, len(names))) as pool:
        for name in names:
            is_over: Future[None] = Future()
            rows.append(pool.submit(measure, name, seconds, rest_seconds, is_over))
            begun: list[Future[Any]] = [rows[-1], is_over]
            wait(begun, return_when=FIRST_COMPLETED)
            while rows and rows[0].done():
                print(rows.pop(0).result(), flush=True)
        for row in rows:
            print(row.result(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="What others notice while somebody attacks the gateway.")
    parser.add_argument("attacks", nargs="*", metavar="NAME", help=f"of {', '.join(ATTACKS)} (all)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each attack lasts (20)")
    parser.add_argument(
        "--rest", type=float, default=60.0, help="seconds until memory is looked at again (60)"
    )
    parser.add_argument(
        "--lanes", nargs=5, metavar=("NAME", "HOST", "PORT", "SECONDS", "FLOOD_URL"), help="attack only"
    )
    arguments = parser.parse_args()
    if arguments.lanes:
        name, host, port, seconds, flood_url = arguments.lanes
        run_attack(name, Target(host, int(port), 0, flood_url), float(seconds))
        return
    unknown = set(arguments.attacks) - set(ATTACKS)
    if unknown:
        parser.error(f"unknown attacks: {', '.join(sorted(unknown))}")
    print(
        "| attack | stream's longest gap, s | stream | slowest ping, s | failed pings "
        "| RSS idle, MiB | peak | rested | failures in the log | load |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    measure_all(arguments.attacks or list(ATTACKS), arguments.seconds, arguments.rest)


if __name__ == "__main__":
    main()
