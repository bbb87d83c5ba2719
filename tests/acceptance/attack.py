"""`python -m tests.acceptance.attack [NAME ...]`: what others notice while somebody attacks the gateway.

For each attack of the table a gateway of its own (real gunicorn, the upstream emulator, loopback alone) is
attacked from 20 connections at once out of another process. Meanwhile an honest client listens to a stream
and another one asks for /ping. Every attack is bounded in time and in connections, and everything ends by
itself.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bench.place import allow_open_files, start_upstream
from demo.gateway import ROOT, GatewayProcess
from tests.acceptance.attack_table import ATTACKS, Target
from tests.raw_client import RawClient, open_chat

LANES = 20
_PING_SECONDS = 30.0
_CALM_SECONDS = 2.0


def run_attack(name: str, host: str, port: int, seconds: float) -> None:
    """All lanes of one attack, in this process."""
    ends_at = time.monotonic() + seconds

    def run_lane(lane: int) -> None:
        while time.monotonic() < ends_at:
            try:
                ATTACKS[name](Target(host, port, lane), ends_at)
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


def listen_to_stream(url: str, notice: Notice) -> None:
    """Every piece of an answer that does not end; the longest silence between two."""
    question = "[[chunks n=1000000 pace=20]]"
    with open_chat(url, "demo-honest", question, stream=True, timeout_seconds=5) as client:
        last = time.monotonic()
        while not notice.is_over.is_set():
            data: bytes | None = None
            try:
                data = client.receive()
            except TimeoutError:
                pass
            except OSError:
                data = b""
            now = time.monotonic()
            notice.stream_gap_seconds = max(notice.stream_gap_seconds, now - last)
            if data == b"":
                notice.stream_end = "cut"
                return
            if data:
                last = now
                notice.stream_pieces += 1


def ask_for_pings(url: str, notice: Notice) -> None:
    """Ten times a second, each on a new connection."""
    while not notice.is_over.wait(0.1):
        begun = time.monotonic()
        try:
            with RawClient(url, _PING_SECONDS) as client:
                client.send_request("GET", "/ping", {})
                good = client.read_answer().body == b"pong"
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


def measure(name: str, seconds: float, rest_seconds: float) -> str:
    """One row of the table."""
    with start_upstream() as upstream, GatewayProcess(upstream.url) as gateway:
        host, port = gateway.url.removeprefix("http://").split(":")
        notice, worker = Notice(), gateway.worker_pid
        threads = [
            threading.Thread(target=task, args=(gateway.url, notice))
            for task in (listen_to_stream, ask_for_pings)
        ]
        for thread in threads:
            thread.start()
        time.sleep(_CALM_SECONDS)
        idle = read_memory(worker, "VmRSS")
        command = [sys.executable, "-m", "tests.acceptance.attack", "--lanes", name, host, port, str(seconds)]
        subprocess.run(command, cwd=ROOT, check=False, timeout=seconds * 3 + 60)
        time.sleep(_CALM_SECONDS)
        notice.is_over.set()
        for thread in threads:
            thread.join()
        survived = gateway.is_running and gateway.worker_pid == worker
        peak = read_memory(worker, "VmHWM") if survived else float("nan")
        time.sleep(rest_seconds)
        left = read_memory(worker, "VmRSS") if survived else float("nan")
    return (
        f"| {name} | {notice.stream_gap_seconds:.2f} | {notice.stream_end} | {notice.ping_seconds:.2f} "
        f"| {notice.failed_pings}/{notice.pings} | {idle:.0f} | {peak:.0f} | {left:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What others notice while somebody attacks the gateway.")
    parser.add_argument("attacks", nargs="*", metavar="NAME", help=f"of {', '.join(ATTACKS)} (all)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each attack lasts (20)")
    parser.add_argument(
        "--rest", type=float, default=60.0, help="seconds until memory is looked at again (60)"
    )
    parser.add_argument("--lanes", nargs=4, metavar=("NAME", "HOST", "PORT", "SECONDS"), help="attack only")
    arguments = parser.parse_args()
    if arguments.lanes:
        name, host, port, seconds = arguments.lanes
        run_attack(name, host, int(port), float(seconds))
        return
    unknown = set(arguments.attacks) - set(ATTACKS)
    if unknown:
        parser.error(f"unknown attacks: {', '.join(sorted(unknown))}")
    print(
        "| attack | stream's longest gap, s | stream | slowest ping, s | failed pings "
        "| RSS idle, MiB | peak | rested |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.attacks or ATTACKS:
        print(measure(name, arguments.seconds, arguments.rest), flush=True)


if __name__ == "__main__":
    main()
