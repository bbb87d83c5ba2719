"""What strangers send without end, under real gunicorn: others go on, and everything is bounded.

What counts is the longest hold of the event loop in CPU time (tests/live/metered.py), no clock on the wall.
The same attacks for longer, and what others notice of them: `python -m tests.acceptance.attack`.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import requests
from openai import APIStatusError, OpenAI

from demo.gateway import GatewayProcess
from tests.acceptance.attack import ATTACKS
from tests.acceptance.connection_attacks import Target
from tests.app.chat.test_agent_work import build_body
from tests.eventually import eventually
from tests.live.conftest import CLOCKS, StartGateway
from tests.raw_client import RawClient, open_chat
from upstream_emulator.emulator import UpstreamEmulator

# Of many greenlets each holds the loop for some milliseconds at most, for several times as long where others
# have the caches; an attack in one piece takes seconds.
MAX_HOLD_SECONDS = 0.3
ATTACK_SECONDS = 3.0


def address_of(gateway: GatewayProcess) -> tuple[str, int]:
    host, port = gateway.url.removeprefix("http://").split(":")
    return host, int(port)


def longest_hold(gateway: GatewayProcess) -> float:
    return float(requests.get(f"{gateway.url}/longest-hold", timeout=30).text)


@pytest.fixture(scope="module")
def metered(
    shared_upstream: UpstreamEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("metered")
    with GatewayProcess(shared_upstream.url, directory, "tests.live.metered:app", **CLOCKS) as gateway:
        yield gateway


@pytest.mark.parametrize(
    "name",
    [
        "tiny-chunks",
        "tiny-chunks-token",
        "endless-heads",
        "dripped-heads",
        "unread-bodies",
        "pipelined",
        "multipart",
    ],
)
def test_the_loop_is_not_held(metered: GatewayProcess, name: str) -> None:
    """While four connections attack, a stream goes on."""
    host, port = address_of(metered)
    stream = open_chat(metered.url, f"demo-hostile-{name}", "[[chunks n=100000 pace=20]]", stream=True)
    stream.read_until(b'"content":')
    longest_hold(metered)
    ends_at = time.monotonic() + ATTACK_SECONDS
    lanes = [
        threading.Thread(target=run_lane, args=(name, Target(host, port, lane), ends_at)) for lane in range(4)
    ]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    assert longest_hold(metered) < MAX_HOLD_SECONDS
    stream.received.clear()
    stream.read_until(b'"content":')
    stream.close()


@pytest.mark.parametrize(("size", "tools", "seconds"), [(200_000, 60, 0.03), (1_000_000, 128, 0.15)])
def test_a_large_agent_request_holds_the_loop_for_a_moment(
    metered: GatewayProcess, size: int, tools: int, seconds: float
) -> None:
    """The least of some, since a collection of garbage may fall into one; three times docs/performance.md."""
    holds = []
    for _ in range(5):
        longest_hold(metered)
        body = build_body(size, tools)
        headers = {"Authorization": "Bearer demo-agent"}
        answer = requests.post(f"{metered.url}/v1/chat/completions", body, headers=headers, timeout=30)
        holds.append(longest_hold(metered))
        assert answer.json()["choices"][0]["finish_reason"] == "stop"
    assert min(holds) < seconds


def run_lane(name: str, target: Target, ends_at: float) -> None:
    while time.monotonic() < ends_at:
        try:
            ATTACKS[name](target, ends_at)
        except OSError:
            time.sleep(0.01)


POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo-hostile\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SECRET = b"MY-SECRET-DIARY"
REFUSED: dict[str, tuple[bytes, int, str]] = {
    "no HTTP": (SECRET + b"\r\n\r\n", 400, "malformed_request"),
    "no Host": (b"GET /" + SECRET + b" HTTP/1.1\r\n\r\n", 400, "malformed_request"),
    "HTTP/1.2": (b"GET /ping HTTP/1.2\r\nHost: x\r\n\r\n", 505, "unsupported_http_version"),
    "long line": (b"GET /" + SECRET * 300, 414, "uri_too_long"),
    "expectation": (POST + b"Expect: " + SECRET + b"\r\n\r\n", 417, "expectation_failed"),
    "fields": (POST + b"A: b\r\n" * 70, 431, "headers_too_large"),
    "long field": (POST + b"A: " + SECRET * 15_000, 431, "headers_too_large"),
    "coding": (
        POST + b"Connection: keep-alive\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        501,
        "unsupported_transfer_coding",
    ),
    "JSON for chunks": (CHUNKED + b'{"messages": "' + SECRET + b'"}', 400, "malformed_request"),
    "no end of a chunk": (CHUNKED + b"5\r\nhello" + SECRET, 400, "malformed_request"),
    "half a body": (POST + b"Content-Length: 1000\r\n\r\n" + SECRET, 400, "malformed_request"),
    "half a chunk": (CHUNKED + b"1000\r\n" + SECRET, 400, "malformed_request"),
    "tiny chunks": (CHUNKED + b"1\r\nx\r\n" * 20_000, 400, "malformed_request"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_every_refusal_is_ours(gateway: GatewayProcess, name: str) -> None:
    """JSON in OpenAI's shape, an id that stands in one line of the log, and not a byte of the request."""
    data, status, code = REFUSED[name]
    written = len(gateway.log())
    with RawClient(gateway.url) as raw:
        raw.send_raw(data)
        raw.socket.shutdown(socket.SHUT_WR)
        answer = raw.read_to_end()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    error = json.loads(body)["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    (request_id,) = re.findall(rb"\r\nX-Request-Id: ([0-9a-f]{32})", head)
    eventually(lambda: request_id.decode() in gateway.log()[written:])
    log = gateway.log()[written:]
    (line,) = [line for line in log.splitlines() if request_id.decode() in line]
    assert f"status={status}" in line
    assert f"outcome={code}" in line
    assert SECRET.decode() not in log + answer.decode()
    assert "Traceback" not in log


def test_a_head_that_is_not_completed_is_answered(
    start_gateway: StartGateway, upstream: UpstreamEmulator
) -> None:
    gateway = start_gateway(GLM_REQUEST_SECONDS="0.5")
    with RawClient(gateway.url) as raw:
        raw.send_raw(b"GET /ping HTTP/1.1\r\nHo")
        answer = raw.read_to_end()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"
    with RawClient(gateway.url) as raw:
        raw.send_raw(b"")
        assert raw.read_to_end() == b"", "who says nothing is told nothing"


BODY = b"x" * 20_000_000
Send = Callable[[str, str], int]


def send_by_requests(url: str, path: str) -> int:
    return requests.post(url + path, data=BODY, timeout=30).status_code


def send_chunks_by_requests(url: str, path: str) -> int:
    pieces = (BODY[n : n + 65_536] for n in range(0, len(BODY), 65_536))
    return requests.post(url + path, data=pieces, timeout=30).status_code


def send_by_http_client(url: str, path: str) -> int:
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as client:
        client.request("POST", path, BODY)
        return client.getresponse().status


@pytest.mark.parametrize("send", [send_by_requests, send_chunks_by_requests, send_by_http_client])
@pytest.mark.parametrize(
    ("path", "status"), [("/v1/chat/completions", 401), ("/nowhere", 404), ("/ping", 405)]
)
def test_a_client_that_sends_before_it_looks_sees_the_refusal(
    gateway: GatewayProcess, send: Send, path: str, status: int
) -> None:
    assert send(gateway.url, path) == status


def test_the_official_client_sees_the_refusal(gateway: GatewayProcess) -> None:
    large: Any = [{"role": "user", "content": "x" * 30_000_000}]
    with OpenAI(base_url=f"{gateway.url}/v1", api_key="demo-a", max_retries=0, timeout=30) as client:
        with pytest.raises(APIStatusError) as raised:
            client.chat.completions.create(model="glm", messages=large)
        assert (raised.value.status_code, raised.value.code) == (413, "request_too_large")
        client.api_key = "no token, but words"
        with pytest.raises(APIStatusError) as raised:
            client.chat.completions.create(model="glm", messages=[large[0] | {"content": "x" * 3_000_000}])
        assert raised.value.status_code == 401


def test_a_small_body_that_nobody_reads_leaves_the_connection_open(gateway: GatewayProcess) -> None:
    with closing(http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=10)) as client:
        for _ in range(3):
            client.request("POST", "/nowhere", b"x" * 60_000)
            with client.getresponse() as answer:
                assert (answer.status, answer.headers["Connection"]) == (404, "keep-alive")
                answer.read()
        client.request("POST", "/nowhere", b"x" * 70_000)
        with client.getresponse() as answer:
            assert (answer.status, answer.headers["Connection"]) == (404, "close")


def test_a_refused_client_is_not_asked_for_its_body(gateway: GatewayProcess) -> None:
    expect = b"Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    with RawClient(gateway.url) as raw:
        raw.send_raw(POST.replace(b"Authorization", b"X-Nothing") + expect)
        assert raw.receive().startswith(b"HTTP/1.1 401 ")
    body = b'{"messages": [{"role": "user", "content": 1}]}'
    with RawClient(gateway.url) as raw:
        raw.send_raw(POST + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
        assert raw.receive() == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.send_raw(body)
        assert raw.receive().startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("begin", [b"", b"GET /ping HTTP/1.1\r\nHo", POST + b"Content-Length: 1000\r\n\r\n{"])
def test_seats_stay_free(start_gateway: StartGateway, upstream: UpstreamEmulator, begin: bytes) -> None:
    """Sixty of forty seats are taken by connections that do not go on; the longest silent ones are closed."""
    gateway = start_gateway(GUNICORN_CMD_ARGS="--worker-connections 40", GLM_REQUEST_SECONDS="60")
    stream = open_chat(gateway.url, "demo-seated", "[[chunks n=100000 pace=20]]", stream=True)
    stream.read_until(b'"content":')
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(RawClient(gateway.url)).send_raw(begin)
        assert requests.get(f"{gateway.url}/health/ready", timeout=10).ok
        stream.received.clear()
        stream.read_until(b'"content":')
    stream.close()


def test_very_many_that_leave_at_once(metered: GatewayProcess) -> None:
    """Each costs a millisecond, all of them together a long hold, if they were worked on in one round."""
    body = POST + b"Content-Length: 1000\r\n\r\n{"
    with ExitStack() as stack:
        for _ in range(800):
            stack.enter_context(RawClient(metered.url)).send_raw(body)
        requests.get(f"{metered.url}/ping", timeout=30)
        longest_hold(metered)
    assert longest_hold(metered) < MAX_HOLD_SECONDS


def test_one_watch_too_many(start_gateway: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start_gateway()
    with ExitStack() as stack:
        watches = []
        for number in range(102):
            watch = stack.enter_context(RawClient(gateway.url))
            watch.send_raw(b"GET /v1/watch HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
            watch.send_raw(b"Authorization: Bearer demo-watch%d\r\n\r\n" % number)
            assert watch.receive().startswith(b"HTTP/1.1 200 ")
            watches.append(watch)
        for watch in watches[:2]:
            assert watch.read_to_end().endswith(b"0\r\n\r\n")
        watches[2].socket.settimeout(1.5)
        with pytest.raises(TimeoutError):
            watches[2].read_to_end()


def test_what_a_proxy_says_of_the_request_is_not_believed(gateway: GatewayProcess) -> None:
    for name in ("SCRIPT_NAME", "Script-Name", "PATH_INFO"):
        answer = requests.get(f"{gateway.url}/foo/ping", headers={name: "/foo"}, timeout=5)
        assert answer.status_code == 404
    for name in ("X-Forwarded-Proto", "X-Forwarded-Protocol", "X-Forwarded-Ssl"):
        answer = requests.get(f"{gateway.url}/ping", headers={name: "https"}, timeout=5)
        assert answer.text == "pong"


def test_debug_lines_hold_no_path(
    start_gateway: StartGateway, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    gateway = start_gateway(LOG_LEVEL="debug")
    requests.get(f"{gateway.url}/{SECRET.decode()}", timeout=5)
    assert SECRET.decode() not in gateway.log()
