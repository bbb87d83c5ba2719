"""`python -m tests.acceptance.attack [NAME ...]`: what others notice while somebody attacks the gateway.

For each attack of the table a gateway of its own (real gunicorn, the embedded upstream, loopback alone) is
attacked from 20 connections at once out of another process. Meanwhile an honest client listens to a stream
and another one asks for /ping. Every attack is bounded in time and in connections, and everything ends by
itself.

A new attack is one function `(target, ends_at)` in `ATTACKS`: it runs once in each of the 20 lanes, makes its
own connections and returns soon after `ends_at`. Whatever OSError it meets begins it anew.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from bench.place import allow_open_files, start_upstream
from demo.gateway import ROOT, GatewayProcess
from tests.acceptance.notice import Notice, ask_for_pings, listen_to_stream, read_memory

LANES = 20
_MEBIBYTE = 1024 * 1024
_CALM_SECONDS = 2.0
_TOKEN = b"Authorization: Bearer made-up-token-0123456789\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the gateway listens, and which of the lanes this is."""

    host: str
    port: int
    lane: int = 0

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=5)


def send_tiny_chunks(target: Target, ends_at: float) -> None:
    """A chunked body of one byte a chunk, without credentials, where nobody reads it."""
    _send_body(target, ends_at, b"POST /ping HTTP/1.1\r\nHost: x\r\n")


def send_tiny_chunks_with_token(target: Target, ends_at: float) -> None:
    """The same where it is read: any token opens a gateway without keys."""
    _send_body(target, ends_at, b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + _TOKEN)


def _send_body(target: Target, ends_at: float, head: bytes) -> None:
    chunks = b"1\r\nx\r\n" * 10_000
    with target.connect() as client:
        client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        while time.monotonic() < ends_at:
            client.sendall(chunks)


def send_endless_heads(target: Target, ends_at: float) -> None:
    """As many fields, and as long ones, as a limit for each of them lets through; the end never comes."""
    with target.connect() as client:
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n")
        for number in range(62):
            client.sendall(b"X-%d: " % number + b"x" * 65_500 + b"\r\n")
        _wait_for_end(client, ends_at)


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
    _hold_many(target, ends_at, lambda number: head + _TOKEN + b"\r\n{")


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
            client.sendall(head + _TOKEN + b"Content-Length: %d\r\n\r\n" % len(body))
            client.sendall(body)
            _wait_for_end(client, ends_at)


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


def _wait_for_end(client: socket.socket, ends_at: float) -> None:
    client.settimeout(max(0.1, ends_at - time.monotonic()))
    while client.recv(65_536):
        pass


Attack = Callable[[Target, float], None]
ATTACKS: dict[str, Attack] = {
    "tiny-chunks": send_tiny_chunks,
    "tiny-chunks-token": send_tiny_chunks_with_token,
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


def measure(name: str, seconds: float, rest_seconds: float) -> str:
    """One row of the table."""
    with start_upstream() as upstream, GatewayProcess(upstream.url) as gateway:
        host, port = gateway.url.removeprefix("http://").split(":")
        notice, worker = Notice(), gateway.worker_pid
        threads = [
            threading.Thread(target=task, args=(host, int(port), notice))
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
