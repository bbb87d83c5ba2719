"""Stopping: who is inside may finish for a while, then everybody is told, and everything is given back."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import requests

from demo.gateway import GatewayProcess
from tests.eventually import eventually
from tests.live.conftest import StartGateway
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator

STREAMS = 50
DRAIN_SECONDS = 2
SPARE_SECONDS = 6
"""gunicorn looks once a second whether everybody has left; the rest is for a busy machine."""


def terminate(gateway: GatewayProcess) -> float:
    assert gateway._process is not None
    gateway._process.send_signal(signal.SIGTERM)
    return time.monotonic()


def wait_for_end(gateway: GatewayProcess) -> int:
    assert gateway._process is not None
    return gateway._process.wait(20)


def wait_for_streams(upstream: UpstreamEmulator, count: int) -> None:
    upstream.wait_until(lambda state: state["open_streams"] == count)


def last_event(body: bytes) -> Any:
    """Of a chunked body that ends as it should."""
    assert body.endswith(b"\r\n0\r\n\r\n"), body[-200:]
    return json.loads(re.findall(rb"data: (.*)", body)[-1])


def test_fifty_streams_end_with_an_event_and_nothing_is_left(
    start_gateway: StartGateway, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    gateway = start_gateway(GLM_DRAIN_SECONDS=str(DRAIN_SECONDS), GLM_CONVERSATION_TTL="0")
    with ExitStack() as stack:
        talk = "[[chunks n=100000 pace=20]]"
        clients = [open_chat(gateway.url, f"demo-drain{n}", talk, stream=True) for n in range(STREAMS)]
        for client in clients:
            client.read_until(b'"content":')
            stack.callback(client.close)
        begun = terminate(gateway)
        for client in clients:
            event = last_event(client.read_to_end())
            assert event["error"]["code"] == "shutting_down"
            assert b"[DONE]" not in client.received
            assert b'"finish_reason":"' not in client.received
        assert DRAIN_SECONDS - 0.2 < time.monotonic() - begun < DRAIN_SECONDS + SPARE_SECONDS
    assert wait_for_end(gateway) == 0
    assert time.monotonic() - begun < DRAIN_SECONDS + SPARE_SECONDS
    state = upstream.wait_until(lambda state: state["open_streams"] == 0)
    assert (len(state["conversations"]), state["undeleted"]) == (STREAMS, 0)
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as ledger:
        assert ledger.execute("SELECT count(*) FROM conversation").fetchone() == (0,)
    assert gateway.log().count("outcome=shutting_down") == STREAMS


def test_short_answers_are_finished_and_end_the_stop(
    start_gateway: StartGateway, upstream: UpstreamEmulator
) -> None:
    gateway = start_gateway(GLM_DRAIN_SECONDS="15")
    client = open_chat(gateway.url, "demo-short", "[[chunks n=30 pace=20]]", stream=True)
    client.read_until(b'"content":')
    begun = terminate(gateway)
    assert b"[DONE]" in client.read_to_end()
    assert wait_for_end(gateway) == 0
    assert time.monotonic() - begun < 12


def test_whole_and_waiting_requests_get_a_status(
    start_gateway: StartGateway, upstream: UpstreamEmulator
) -> None:
    """One is answered, one waits behind it, one has no first event yet, one still sends its body."""
    gateway = start_gateway(GLM_DRAIN_SECONDS="1", GLM_FIRST_EVENT_SECONDS="15", GLM_QUEUE_SECONDS="15")
    clients = [
        open_chat(gateway.url, "demo-a", "[[chunks n=100000 pace=20]]", stream=False),
        open_chat(gateway.url, "demo-b", "[[silence]]", stream=True),
    ]
    wait_for_streams(upstream, 1)
    clients.append(open_chat(gateway.url, "demo-a", "second", stream=True))
    half = open_chat(gateway.url, "demo-c", "x" * 5_000, stream=True, send_bytes=900)
    half.socket.settimeout(10)
    wait_until_read(gateway)
    terminate(gateway)
    for client in [*clients, half]:
        answer = client.read_to_end()
        assert answer.startswith(b"HTTP/1.1 503 "), answer
        assert b'"code":"shutting_down"' in answer
        assert re.search(rb"\r\nRetry-After: [1-9]", answer)
    assert wait_for_end(gateway) == 0
    assert "second" not in str(upstream.requests())


def test_a_name_that_is_on_the_way_is_waited_for_also_at_the_end(
    start_gateway: StartGateway, upstream: UpstreamEmulator
) -> None:
    """Else the upstream would keep a conversation whose name nobody has read."""
    gateway = start_gateway(
        GLM_DRAIN_SECONDS="1", GLM_FIRST_EVENT_SECONDS="15", application="tests.live.patient:app"
    )
    client = open_chat(gateway.url, "demo-name", "[[slowstart delay=3500]]", stream=True)
    wait_for_streams(upstream, 1)
    terminate(gateway)
    assert b'"code":"shutting_down"' in client.read_to_end()
    assert wait_for_end(gateway) == 0
    assert [one["deleted"] for one in upstream.state()["conversations"]] == [True]


def test_a_client_that_does_not_read_does_not_hold_the_stop(
    start_gateway: StartGateway, upstream: UpstreamEmulator
) -> None:
    gateway = start_gateway(GLM_DRAIN_SECONDS="1")
    slow = open_chat(gateway.url, "demo-slow", "[[chunks n=4000 size=30000 pace=0]]", stream=True)
    slow.read_until(b'"content":')
    time.sleep(0.3)  # for the sockets between to be full
    begun = terminate(gateway)
    assert wait_for_end(gateway) == 0
    assert time.monotonic() - begun < 1 + SPARE_SECONDS
    slow.close()
    wait_for_streams(upstream, 0)


def test_nothing_new_begins_on_a_kept_connection(
    start_gateway: StartGateway, upstream: UpstreamEmulator
) -> None:
    gateway = start_gateway(GLM_DRAIN_SECONDS="6")
    running = open_chat(gateway.url, "demo-running", "[[chunks n=100000 pace=20]]", stream=True)
    running.read_until(b'"content":')
    with closing(connect(gateway)) as kept:
        kept.request("GET", "/health/ready")
        assert kept.getresponse().read()
        send_all_but_the_end(kept, gateway)
        terminate(gateway)
        eventually(lambda: not can_connect(gateway))
        assert upstream.state()["open_streams"] == 1, "the listener was open until the end"
        kept.send(b"}")
        with kept.getresponse() as answer:
            assert (answer.status, json.load(answer)["error"]["code"]) == (503, "shutting_down")
            assert int(answer.headers["Retry-After"]) > 0
        assert kept.sock.recv(1) == b"", "the connection is still open"
    assert last_event(running.read_to_end())["error"]["code"] == "shutting_down"
    assert wait_for_end(gateway) == 0


def connect(gateway: GatewayProcess) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=10)


def send_all_but_the_end(kept: http.client.HTTPConnection, gateway: GatewayProcess) -> None:
    """Between two requests the connection would be ended, within one it is not."""
    body = b'{"model": "glm", "messages": [{"role": "user", "content": "a"}]}'
    kept.putrequest("POST", "/v1/chat/completions")
    kept.putheader("Authorization", "Bearer demo-new")
    kept.putheader("Content-Length", str(len(body)))
    kept.endheaders(body[:-1])
    wait_until_read(gateway)


def wait_until_read(gateway: GatewayProcess) -> None:
    """What came before this was answered has been read."""
    assert requests.get(f"{gateway.url}/ping", timeout=5).text == "pong"


def can_connect(gateway: GatewayProcess) -> bool:
    host, port = gateway.url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def test_the_drain_file_turns_readiness_alone(
    start_gateway: StartGateway, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    drain = tmp_path / "drain"
    gateway = start_gateway(GLM_DRAIN_FILE=str(drain))
    readiness = f"{gateway.url}/health/ready"
    assert requests.get(readiness, timeout=5).json() == {"status": "ok", "state": "kept"}
    drain.touch()
    answer = requests.get(readiness, timeout=5)
    assert (answer.status_code, answer.json()) == (503, {"status": "draining", "state": "kept"})
    assert requests.get(f"{gateway.url}/health/live", timeout=5).status_code == 200
    client = open_chat(gateway.url, "demo-drainfile", "你好", stream=True)
    assert b"[DONE]" in client.read_until(b"[DONE]")
    client.close()
    drain.unlink()
    assert requests.get(readiness, timeout=5).status_code == 200
