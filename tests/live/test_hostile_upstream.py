"""An upstream that is slow on purpose or never stops costs one answer, and no account."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from openai import APIStatusError, OpenAI, RateLimitError

from demo.gateway import GatewayProcess
from tests.app.upstream.scripted import Play, answer, read_request
from tests.eventually import eventually
from tests.live.asking import ask
from tests.live.conftest import StartGateway, connect, list_states
from tests.loopback import LoopbackServer

REFRESH = "/chatglm/user-api/user/refresh"
STREAM = "/chatglm/backend-api/assistant/stream"
# Longer than the gateway gives any call, and than a proxy would wait.
CLIENT_SECONDS = 40

JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class HostileUpstream(LoopbackServer):
    """Plays by path; whatever has no play is done. `plays` may change between two requests."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"http://{self.host}:{self.port}"
        self.plays: dict[str, Play] = {REFRESH: GOOD_REFRESH, STREAM: GOOD_STREAM}
        self.over = threading.Event()

    def serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            while request := read_request(connection):
                path = urlsplit(request.split(b" ")[1].decode()).path
                self.plays.get(path, DONE)(connection)

    def repeat(self, begin: bytes, piece: bytes, pause_seconds: float = 0.0) -> Play:
        """`begin`, then `piece` until the gateway leaves, or the test is over."""

        def play(connection: socket.socket) -> None:
            connection.sendall(begin)
            while not self.over.wait(pause_seconds):
                connection.sendall(piece)
            connection.close()

        return play


def chunk(*frames: dict[str, object]) -> bytes:
    data = b"".join(b"data: %b\n\n" % json.dumps(frame).encode() for frame in frames)
    return b"%x\r\n%b\r\n" % (len(data), data)


def frame(status: str, text: str) -> dict[str, object]:
    content = [{"type": "text", "text": text, "status": status}]
    return {
        "id": "b" * 24,
        "conversation_id": "a" * 24,
        "status": status,
        "parts": [{"logic_id": "l", "status": status, "content": content}],
    }


DONE = answer(b'{"status":0,"result":null}')
GOOD_REFRESH = answer(b'{"status":0,"result":{"access_token":"a.b.c"}}')
BEGUN = SSE_HEAD + chunk(frame("init", "Hel"))
FINISHED = BEGUN + chunk(frame("finish", "Hello"))


def GOOD_STREAM(connection: socket.socket) -> None:  # noqa: N802 - a constant like its neighbours
    connection.sendall(FINISHED + b"0\r\n\r\n")


@pytest.fixture
def hostile() -> Iterator[HostileUpstream]:
    with HostileUpstream() as server:
        yield server
        server.over.set()


@pytest.fixture
def gateway(hostile: HostileUpstream, start_gateway: StartGateway) -> GatewayProcess:
    return start_gateway(GLM_UPSTREAM_URL=hostile.url, GLM_START_SECONDS="4", GLM_CONVERSATION_TTL="0")


@pytest.fixture
def client(gateway: GatewayProcess, account: str) -> Iterator[OpenAI]:
    with connect(gateway, account).with_options(timeout=CLIENT_SECONDS) as client:
        yield client


def test_a_refresh_that_trickles_ends_and_the_account_answers_again(
    hostile: HostileUpstream, gateway: GatewayProcess, client: OpenAI, account: str
) -> None:
    hostile.plays[REFRESH] = hostile.repeat(JSON_HEAD, b" ", 0.5)
    with pytest.raises(APIStatusError) as raised:
        ask(client, "?", stream=False)
    assert raised.value.status_code == 504
    checked = requests.post(f"{gateway.url}/token/check", json={"token": account}, timeout=CLIENT_SECONDS)
    assert (checked.status_code, checked.json()["error"]["code"]) == (503, "upstream_busy")
    hostile.plays[REFRESH] = GOOD_REFRESH
    assert ask(client, "?", stream=False).text == "Hello"


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_an_upstream_that_goes_on_after_the_finish_holds_neither_answer_nor_account(
    hostile: HostileUpstream, gateway: GatewayProcess, client: OpenAI, account: str, *, stream: bool
) -> None:
    for number in range(3):
        # Each in a conversation of its own: the one before may be being deleted.
        own = [
            part.replace(b"a" * 24, b"%024x" % number) for part in (FINISHED, chunk(frame("finish", "Hello")))
        ]
        hostile.plays[STREAM] = hostile.repeat(own[0], own[1] * 500)
        assert ask(client, "?", stream=stream).text == "Hello"
    eventually(lambda: "answering" not in list_states(gateway, account))


ENDLESS_LINES = 20
MAX_GROWN_MEBIBYTES = 200
"""What the events may take in sum, and the holes that their pieces leave."""


def test_endless_lines_are_bounded_in_sum(
    hostile: HostileUpstream, start_gateway: StartGateway, account: str
) -> None:
    """Each of them ends at its own bound, or where all of them together reach theirs."""
    gateway = start_gateway(GLM_UPSTREAM_URL=hostile.url, GLM_CONVERSATION_TTL="0")
    line = b"10006\r\ndata: " + b"x" * 65_536 + b"\r\n"
    # The pauses are for the threads that answer the other calls.
    hostile.plays[STREAM] = hostile.repeat(BEGUN, line, 0.002)
    begun = read_memory(gateway.worker_pid, "VmRSS")

    def listen(number: int) -> str:
        with connect(gateway, f"{account}-{number}").with_options(timeout=CLIENT_SECONDS) as client:
            with pytest.raises(APIStatusError) as raised:
                ask(client, "?", stream=False)
            return str(raised.value.code)

    with ThreadPoolExecutor(ENDLESS_LINES) as pool:
        told = set(pool.map(listen, range(ENDLESS_LINES)))
    assert "out_of_room" in told
    assert told <= {"upstream_invalid", "out_of_room", "upstream_timeout"}  # a slow machine
    assert read_memory(gateway.worker_pid, "VmHWM") - begun < MAX_GROWN_MEBIBYTES
    hostile.plays[STREAM] = GOOD_STREAM
    with connect(gateway, account) as client:
        assert ask(client, "?", stream=False).text == "Hello"


def read_memory(pid: int, name: str) -> float:
    """`VmRSS` or `VmHWM` of a process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def test_comments_are_no_answer(hostile: HostileUpstream, client: OpenAI) -> None:
    hostile.plays[STREAM] = hostile.repeat(BEGUN, b"7\r\n: ping\n\r\n", 0.1)
    with pytest.raises(APIStatusError) as raised:
        ask(client, "?", stream=False)
    assert (raised.value.status_code, raised.value.code) == (504, "upstream_timeout")
    hostile.plays[STREAM] = GOOD_STREAM
    assert ask(client, "?", stream=False).text == "Hello"


def test_early_hints_are_not_the_answer(hostile: HostileUpstream, client: OpenAI) -> None:
    def hint(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        GOOD_STREAM(connection)

    hostile.plays[STREAM] = hint
    assert ask(client, "?", stream=True).text == "Hello"


@pytest.mark.parametrize("path", [REFRESH, STREAM])
def test_an_answer_that_is_only_announced_holds_nobody(
    hostile: HostileUpstream, gateway: GatewayProcess, client: OpenAI, path: str
) -> None:
    good = hostile.plays[path]
    hostile.plays[path] = hostile.repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
    with pytest.raises(APIStatusError) as raised:
        ask(client, "?", stream=False)
    assert not isinstance(raised.value, RateLimitError)
    assert requests.get(f"{gateway.url}/ping", timeout=5).ok
    hostile.plays[path] = good
    assert ask(client, "?", stream=False).text == "Hello"
