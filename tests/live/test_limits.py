"""What a client may not do: leave its answer unread, come as one too many, drip its request."""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from openai import APIStatusError, OpenAI

from demo.gateway import ROOT, GatewayProcess
from tests.eventually import eventually
from tests.live.asking import ask
from tests.live.conftest import StartGateway, check_leases, connect, count_asked, list_states
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator

WRITE_SECONDS = 1.0
# The answer waits in the buffers of four sockets; the gateway holds one read of the upstream, the allocator
# some pages around it: far less than the 60 MB of the answer.
MAX_GROWTH_KIB = 10_240


def resident_kib(gateway: GatewayProcess) -> int:
    status = Path(f"/proc/{gateway.worker_pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


def quiet(gateway: GatewayProcess, text: str) -> None:
    """Wait until the log says `text`."""
    deadline = time.monotonic() + 30
    while text not in gateway.log():
        assert time.monotonic() < deadline, gateway.log()
        time.sleep(0.02)


@pytest.mark.parametrize("piece", [30, 30_000], ids=["small pieces", "large pieces"])
def test_who_stops_reading_is_given_up(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str, piece: int
) -> None:
    gateway = start_gateway(GLM_CLIENT_WRITE_SECONDS=str(WRITE_SECONDS))
    with connect(gateway, account) as client:
        ask(client, "[[chunks n=70 size=30000 pace=0]]", stream=True)
    before = resident_kib(gateway)
    # Many times 2 MB: the sockets between hold several of them, and only what they do not hold must wait.
    count = 60_000_000 // (piece + 600)
    slow = open_chat(
        gateway.url, account, f"[[chunks n={count} size={piece} pace=0 style=delta]]", stream=True
    )
    slow.read_until(b'"content":')
    upstream.wait_until(lambda state: state["open_streams"] == 0, seconds=30)
    assert resident_kib(gateway) - before < MAX_GROWTH_KIB
    eventually(lambda: list_states(gateway, account) == ["ready"])
    quiet(gateway, "outcome=client gone")
    slow.close()
    assert "Traceback" not in gateway.log()


def test_memory_is_flat_while_a_client_does_not_read(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    """A 2 MB answer whose reader stops in the middle, with small buffers between, for a second."""
    gateway = start_gateway()
    with connect(gateway, account) as client:
        ask(client, "[[chunks n=70 size=30000 pace=0]]", stream=True)
    before = resident_kib(gateway)
    slow = open_chat(
        gateway.url, account, "[[chunks n=70 size=30000 pace=5]]", stream=True, receive_bytes=4096
    )
    slow.read_until(b'"content":')
    time.sleep(1.0)
    assert resident_kib(gateway) - before < MAX_GROWTH_KIB
    received = slow.read_until(b"[DONE]")
    assert len(received) > 2_000_000
    slow.close()
    check_leases(gateway, upstream)


def test_a_slow_reader_is_not_given_up(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    """It reads a little all the time, for longer than a standstill may last."""
    gateway = start_gateway(GLM_CLIENT_WRITE_SECONDS="4")
    talk = "[[chunks n=4000 size=30000 pace=0 style=delta]]"
    slow = open_chat(gateway.url, account, talk, stream=True, receive_bytes=4096)
    slow.read_until(b'"content":')
    until = time.monotonic() + 6
    while time.monotonic() < until:
        assert slow.receive(131_072)
        time.sleep(0.02)
    assert upstream.state()["open_streams"] == 1
    slow.close()


def test_a_whole_answer_that_is_not_read_is_given_up(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    """The account has been free since the answer was complete; the connection goes too."""
    gateway = start_gateway(GLM_CLIENT_WRITE_SECONDS=str(WRITE_SECONDS))
    talk = "[[chunks n=400 size=30000 pace=0 style=delta]]"
    slow = open_chat(gateway.url, account, talk, stream=False, receive_bytes=4096)
    quiet(gateway, "outcome=ok")
    eventually(lambda: list_states(gateway, account) == ["ready"])
    slow.close()


def test_one_answer_too_many(start_gateway: StartGateway, upstream: UpstreamEmulator) -> None:
    """Told at once; those that run do not notice, and the next one is let in as soon as one has ended."""
    gateway = start_gateway(GLM_MAX_STREAMS="3")
    talk = "[[chunks n=500 pace=20]]"  # ten seconds: the others have come and gone by then
    running = [open_chat(gateway.url, f"demo-full{n}", talk, stream=True) for n in range(3)]
    for client in running:
        client.read_until(b'"content":')
    for stream in (True, False):
        refused = open_chat(gateway.url, "demo-more", "你好", stream=stream)
        answer = refused.read_until(b'"too_many_streams"')
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 5\r\n" in answer
        refused.close()
    assert upstream.state()["open_streams"] == 3, "it was not told at once"
    assert requests.get(f"{gateway.url}/health/ready", timeout=5).status_code == 200
    for client in running:
        client.read_until(b"[DONE]")
        client.close()
    with connect(gateway, "demo-more") as official:
        eventually(lambda: is_let_in(official))


def is_let_in(client: OpenAI) -> bool:
    """An answer is over for its client a moment before its place is free."""
    try:
        return ask(client, "你好", stream=True).finish == "stop"
    except APIStatusError as error:
        if error.code != "too_many_streams":
            raise
        return False


def test_a_head_that_drips_is_cut(start_gateway: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start_gateway(GLM_REQUEST_SECONDS="1")
    host, port = gateway.url.removeprefix("http://").split(":")
    begun = time.monotonic()
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"POST /v1/chat/completions HTTP/1.1\r\n")
        assert drip_until_end(raw, b"X").startswith(b"HTTP/1.1 408 ")
    assert 0.8 < time.monotonic() - begun < 8


PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
HALF_A_HEAD = b"GET /ping HTTP/1.1\r\n"


def test_a_later_head_is_cut_too(start_gateway: StartGateway, upstream: UpstreamEmulator) -> None:
    """From its first byte on, also if that came with the request before; till then a connection is kept."""
    gateway = start_gateway(GLM_REQUEST_SECONDS="1")
    host, port = gateway.url.removeprefix("http://").split(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as dripping,
        socket.create_connection((host, int(port)), timeout=10) as silent,
    ):
        for raw in (dripping, silent):
            ping(raw, PING)
        time.sleep(1.5)
        ping(dripping, PING)
        ping(silent, PING + HALF_A_HEAD)
        begun = time.monotonic()
        dripping.sendall(HALF_A_HEAD)
        assert drip_until_end(dripping, b"X").startswith(b"HTTP/1.1 408 ")
        assert silent.recv(65536).startswith(b"HTTP/1.1 408 ")
    assert 0.8 < time.monotonic() - begun < 8
    assert "Traceback" not in gateway.log()


JSON_POST = b"POST /v1/chat/completions HTTP/1.1\r\n"
FORM_POST = b"POST /v1/images/edits HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"


@pytest.mark.parametrize("post", [JSON_POST, FORM_POST])
@pytest.mark.parametrize("framing", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"])
def test_a_body_that_drips_is_cut(
    start_gateway: StartGateway, upstream: UpstreamEmulator, framing: bytes, post: bytes
) -> None:
    gateway = start_gateway(GLM_REQUEST_SECONDS="1")
    host, port = gateway.url.removeprefix("http://").split(":")
    begun = time.monotonic()
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(post + b"Host: x\r\nAuthorization: Bearer demo-drip\r\n" + framing + b"\r\n\r\n")
        answer = drip_until_end(raw, b"1\r\nx\r\n")
    assert 0.8 < time.monotonic() - begun < 8
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"
    assert count_asked(upstream) == {}


def ping(raw: socket.socket, request: bytes) -> None:
    raw.sendall(request)
    answer = b""
    while not answer.endswith(b"pong"):
        data = raw.recv(65536)
        assert data, answer
        answer += data


def drip_until_end(raw: socket.socket, drop: bytes) -> bytes:
    """What the gateway says while more drops are sent, up to the end of the connection."""
    received = b""
    raw.settimeout(0.1)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            raw.sendall(drop)
            data = raw.recv(65536)
        except TimeoutError:
            continue
        except ConnectionError:
            return received
        if not data:
            return received
        received += data
    raise AssertionError("the gateway does not hang up")


def test_a_head_that_is_too_large_is_refused(gateway: GatewayProcess) -> None:
    answer = requests.get(f"{gateway.url}/ping", headers={"X-Large": "x" * 70_000}, timeout=5)
    assert answer.status_code in {400, 431}
    assert requests.get(f"{gateway.url}/ping", timeout=5).text == "pong"


def test_the_file_limit_is_raised(gateway: GatewayProcess) -> None:
    limits = Path(f"/proc/{gateway.worker_pid}/limits").read_text("ascii")
    soft = int(limits.partition("Max open files")[2].split()[0])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert soft >= min(4200, hard)


def test_a_file_limit_that_is_too_low_is_said(upstream: UpstreamEmulator, tmp_path: Path) -> None:
    """In a process of its own, since a limit that was lowered cannot be raised again."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 600))\n"
        "from demo.gateway import GatewayProcess\n"
        f"with GatewayProcess({upstream.url!r}, Path({str(tmp_path)!r})) as gateway:\n"
        "    sys.stdout.write(gateway.log())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert "Only 600 open files are allowed (ulimit -Hn): about 200 answers at a time." in run.stdout
