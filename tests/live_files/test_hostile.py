"""What strangers send and what servers of files answer: memory is bounded, and the event loop stays free.

Memory is that of the worker's process, held time the CPU time of its thread between two turns of a greenlet
that wants one all the time (tests/live_files/measured.py).
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.eventually import eventually
from tests.file_server import FileServer
from tests.live.conftest import check_log
from tests.live_files.attaching import image, messages
from tests.live_files.conftest import MEBIBYTE, SETTINGS, check_files
from tests.raw_client import RawClient, open_call, open_chat
from upstream_emulator.emulator import UpstreamEmulator

MADE_UP = {"Authorization": "Bearer bogus-token-123456", "Content-Type": "application/json"}
BODY_BYTES = 24 * MEBIBYTE
MAX_BYTES = BODY_BYTES + 4096
CHAT = "/v1/chat/completions"
# What the recipes give a container, without what the process takes when it is idle.
MAX_GROWN_MEBIBYTES = 340
# One read of a large body, one decoding of it: what cannot be cut. Far below what made others wait before.
MAX_HOLD_SECONDS = 0.4
SETTLING_SECONDS = 20
NEAR_IDLE_MEBIBYTES = 40


@dataclass(frozen=True)
class Measured:
    longest_hold_seconds: float
    resident_mebibytes: float
    peak_mebibytes: float
    bodies_bytes: int
    spool_bytes: int


def measure(gateway: GatewayProcess) -> Measured:
    """Since it was asked last."""
    return Measured(**requests.get(f"{gateway.url}/measured", timeout=30).json())


@pytest.fixture
def hostile(upstream: UpstreamEmulator, pages: FileServer) -> Iterator[GatewayProcess]:
    settings = SETTINGS | {
        "GLM_MAX_BODY_BYTES": str(MAX_BYTES),
        "GLM_FILES_MAX_BYTES": str(BODY_BYTES),
        "GLM_FILES_PORTS": str(pages.port),
        "GLM_FILES_TIMEOUT_SECONDS": "20",
    }
    application = "tests.live_files.measured:app"
    with GatewayProcess(upstream.url, None, application, **settings) as gateway:
        post(gateway, "/page/picture", b'{"url":"data:,x"}')
        measure(gateway)
        yield gateway
        check_log(gateway, 0)
        check_files(gateway)


def post(gateway: GatewayProcess, path: str, body: bytes) -> tuple[int, str]:
    answer = requests.post(gateway.url + path, data=body, headers=MADE_UP, timeout=50)
    return answer.status_code, answer.json()["error"]["code"]


def post_at_once(gateway: GatewayProcess, path: str, body: bytes, count: int) -> set[tuple[int, str]]:
    answers: set[tuple[int, str]] = set()
    threads = [threading.Thread(target=lambda: answers.add(post(gateway, path, body))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(55)
    return answers


def check_settled(gateway: GatewayProcess, idle: Measured) -> None:
    """Soon nothing is held, and the memory is given back; each in its own time, so all is waited for."""
    deadline = time.monotonic() + SETTLING_SECONDS
    while not is_settled(now := measure(gateway), idle):
        assert time.monotonic() < deadline, now
        time.sleep(0.1)


def is_settled(now: Measured, idle: Measured) -> bool:
    near_idle = now.resident_mebibytes <= idle.resident_mebibytes + NEAR_IDLE_MEBIBYTES
    return near_idle and now.bodies_bytes == now.spool_bytes == 0


def fill(begin: bytes, unit: bytes, end: bytes) -> bytes:
    return begin + unit * ((BODY_BYTES - len(begin) - len(end)) // len(unit)) + end


PICTURE = b'{"url":"data:image/png'
HI = b'{"messages":[{"role":"user","content":"hi"}],'
CONTENT = b'{"messages":[{"role":"user","content":['
TEXT = b'{"type":"text","text":"x"}'
SAID = b'{"messages":[{"role":"assistant","content":"'
NO_PICTURE, TOO_MANY = (400, "invalid_file"), (400, "invalid_value")
TOO_LONG, PLACEHOLDER_TOKEN = (400, "context_length_exceeded"), (401, "account_expired")
BODIES: dict[str, tuple[str, bytes, tuple[int, str]]] = {
    "percent signs": ("/page/picture", fill(PICTURE + b",", b"%41", b'"}'), NO_PICTURE),
    "percent signs in base64": ("/page/picture", fill(PICTURE + b";base64,", b"%%41", b'"}'), NO_PICTURE),
    "stray percent signs": ("/page/picture", fill(PICTURE + b",", b"%", b'"}'), NO_PICTURE),
    "one wide character": ("/page/picture", fill(PICTURE + b",", b"A", '😀"}'.encode()), TOO_MANY),
    "objects that nothing reads": (CHAT, fill(HI + b'"metadata":{"a":[', b"{},", b"{}]}}"), TOO_MANY),
    "texts": (CHAT, fill(CONTENT, TEXT + b",", TEXT + b"]}]}"), TOO_MANY),
    "messages": (CHAT, fill(b'{"messages":[', b'{"role":"user"},', b'{"role":"user"}]}'), TOO_MANY),
    "one text": (CHAT, fill(SAID, b"![a](b)", b'"}]}'), TOO_LONG),
    "brackets": (CHAT, fill(HI + b'"a":', b"[", b""), TOO_MANY),
    "digits": (CHAT, fill(HI + b'"a":', b"9", b"}"), PLACEHOLDER_TOKEN),
}


CASES = [pytest.param(*case, 1, id=name) for name, case in BODIES.items()]
CASES += [pytest.param(*BODIES[name], 12, id=f"12 {name}") for name in ("percent signs", "texts", "digits")]


@pytest.mark.parametrize(("path", "body", "answer", "count"), CASES)
def test_a_body_that_shall_swell(
    hostile: GatewayProcess, path: str, body: bytes, answer: tuple[int, str], count: int
) -> None:
    idle = measure(hostile)
    got = post_at_once(hostile, path, body, count)
    after = measure(hostile)
    assert got == {answer} if count == 1 else got <= {answer, (503, "out_of_room"), (400, "file_unavailable")}
    # One: the body, what it is read into, what is decoded.
    most = MAX_GROWN_MEBIBYTES if count > 1 else 3.5 * BODY_BYTES / MEBIBYTE
    assert after.peak_mebibytes - idle.resident_mebibytes < most
    if count == 1:
        assert after.longest_hold_seconds < MAX_HOLD_SECONDS
    check_settled(hostile, idle)


def test_bodies_that_do_not_end(hostile: GatewayProcess) -> None:
    """Twenty clients send as much as they may but for the end, and stay; then they leave."""
    idle = measure(hostile)
    host, port = hostile.url.removeprefix("http://").split(":")
    clients = [socket.create_connection((host, int(port)), timeout=20) for _ in range(20)]
    senders = [threading.Thread(target=send_most, args=(client,)) for client in clients]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(30)
    held = [measure(hostile)]
    eventually(lambda: measure_again(hostile, held).bodies_bytes > 2 * BODY_BYTES)  # what was sent is read
    assert max(one.bodies_bytes for one in held) < 3 * BODY_BYTES
    assert max(one.peak_mebibytes for one in held) - idle.resident_mebibytes < MAX_GROWN_MEBIBYTES
    assert post(hostile, CHAT, b'{"messages":[{"role":"user","content":"hi"}]}') == (401, "account_expired")
    for client in clients:
        client.close()
    check_settled(hostile, idle)


def measure_again(gateway: GatewayProcess, measured: list[Measured]) -> Measured:
    measured.append(measure(gateway))
    return measured[-1]


def send_most(client: socket.socket) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer made-up\r\n"
    head += f"Content-Length: {BODY_BYTES}\r\n\r\n"
    try:
        client.sendall(head.encode())
        for _ in range(BODY_BYTES // MEBIBYTE - 1):
            client.sendall(b"x" * MEBIBYTE)
    except OSError:  # refused meanwhile
        return


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n" * 100
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
SERVERS: dict[str, tuple[bytes, bytes]] = {
    "100 Continue": (b"", CONTINUE),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
    "trailers": (CHUNKED + b"0\r\n", b"X: y\r\n" * 1000),
    "tiny chunks": (CHUNKED, b"1\r\nx\r\n" * 1000),
}


@pytest.mark.parametrize(("begin", "flood"), SERVERS.values(), ids=SERVERS)
def test_a_server_that_never_pauses(
    upstream: UpstreamEmulator, pages: FileServer, begin: bytes, flood: bytes
) -> None:
    """The time that a file has is over when it is over, and nobody else notices."""
    pages.pages["/flood"] = pages.drip(flood, 0.0, then=begin)
    settings = SETTINGS | {"GLM_FILES_PORTS": str(pages.port), "GLM_FILES_TIMEOUT_SECONDS": "2"}
    application = "tests.live_files.measured:app"
    with GatewayProcess(upstream.url, None, application, **settings) as gateway:
        measure(gateway)
        body = json.dumps({"url": f"{pages.url}/flood"}).encode()
        assert post_at_once(gateway, "/page/picture", body, 5) <= {
            (400, "file_unavailable"),
            (400, "file_too_large"),
        }
        after = measure(gateway)
        assert after.longest_hold_seconds < MAX_HOLD_SECONDS
        assert after.peak_mebibytes < 150
        check_files(gateway)


def test_answers_on_their_way_hold_nothing_of_their_questions(
    hostile: GatewayProcess, upstream: UpstreamEmulator
) -> None:
    """Fifteen prompts of a million characters, each a call upstream of three megabytes."""
    idle = measure(hostile)
    question = "[[chunks n=2000 pace=50]] " + "很长" * 490_000
    streams = [open_chat(hostile.url, f"demo-hold{n}", question, stream=True) for n in range(15)]
    for stream in streams:
        stream.read_until(b'"content":')
    held = measure(hostile)
    assert held.bodies_bytes == 0
    assert upstream.state()["open_streams"] == 15
    assert held.resident_mebibytes - idle.resident_mebibytes < 30
    for stream in streams:
        stream.close()
    upstream.wait_until(lambda state: state["open_streams"] == 0)


def test_files_fill_the_disk_only_so_far(upstream: UpstreamEmulator, pages: FileServer) -> None:
    """Two that come slowly take the room; the third is told to come again, and then there is room again."""
    settings = SETTINGS | {
        "GLM_FILES_PORTS": str(pages.port),
        "GLM_FILES_TIMEOUT_SECONDS": "20",
        "GLM_SPOOL_MAX_BYTES": str(2 * MEBIBYTE),
    }
    slow = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MEBIBYTE + b"x" * (MEBIBYTE - 1000)
    pages.pages["/slow"] = pages.drip(b"x", 0.05, then=slow)
    application = "tests.live_files.measured:app"
    with GatewayProcess(upstream.url, None, application, **settings) as gateway:
        leaving = [ask_for_picture(gateway, f"{pages.url}/slow") for _ in range(2)]
        eventually(lambda: measure(gateway).spool_bytes >= 2 * MEBIBYTE - 4000)
        body: dict[str, Any] = {"messages": messages(image("data:image/png;base64," + "QUFB" * 10_000))}
        headers = {"Authorization": "Bearer demo-room"}
        refused = requests.post(gateway.url + CHAT, json=body, headers=headers, timeout=20)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "out_of_room")
        assert refused.headers["Retry-After"] == "5"
        for client in leaving:
            client.close()
        check_files(gateway)
        eventually(lambda: measure(gateway).spool_bytes == 0)


def ask_for_picture(gateway: GatewayProcess, url: str) -> RawClient:
    return open_call(gateway.url, "POST", "/page/picture", "made-up", json.dumps({"url": url}).encode())
