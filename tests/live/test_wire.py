"""What HTTP allows beyond what client libraries do, and what machines read: preflights and log lines."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.eventually import eventually
from tests.live.conftest import StartGateway

CHAT = "/v1/chat/completions"
HELLO = json.dumps({"messages": [{"role": "user", "content": "[[text]]"}]}).encode()


@pytest.fixture
def connection(gateway: GatewayProcess) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=20)
    yield connection
    connection.close()


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    for begin in range(0, len(body), size):
        yield body[begin : begin + size]


def test_a_chunked_question(gateway: GatewayProcess, account: str) -> None:
    headers = {"Authorization": f"Bearer {account}"}
    answer = requests.post(gateway.url + CHAT, data=in_pieces(HELLO, 7), headers=headers, timeout=20)
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("path", [CHAT, "/token/check"])
def test_a_chunked_question_without_end(gateway: GatewayProcess, account: str, path: str) -> None:
    """No length is announced, so only counting finds that it is too much."""
    headers = {"Authorization": f"Bearer {account}"}
    body = in_pieces(b" " * (25 * 1024 * 1024), 1024 * 1024)
    answer = requests.post(gateway.url + path, data=body, headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


def test_one_connection_serves_refusals_streams_and_answers(
    connection: http.client.HTTPConnection, account: str
) -> None:
    """Whatever came before, the next request of the same connection is understood."""
    streamed = HELLO[:-1] + b', "stream": true}'
    failing = json.dumps({"messages": [{"role": "user", "content": "[[cut]]"}], "stream": True}).encode()
    authorized = {"Authorization": f"Bearer {account}"}
    connection.connect()
    local = connection.sock.getsockname()
    for body, headers, status, mark in (
        (HELLO, {}, 401, b"invalid_api_key"),
        (b"{", authorized, 400, b"invalid_value"),
        (streamed, authorized, 200, b"[DONE]"),
        (failing, authorized, 200, b"answer_cut"),
        (HELLO, authorized, 200, b'"usage"'),
    ):
        connection.request("POST", CHAT, body, headers)
        answer = connection.getresponse()
        assert (answer.status, mark in answer.read()) == (status, True)
        assert connection.sock.getsockname() == local, "the gateway closed the connection"


def test_a_pipelined_request_waits_for_its_turn(connection: http.client.HTTPConnection, account: str) -> None:
    """Bytes behind the question are no sign that the client has gone."""
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {account}\r\n"
    question = f"{head}Content-Length: {len(HELLO)}\r\n\r\n".encode() + HELLO
    connection.connect()
    connection.sock.sendall(question + question)
    received = b""
    while received.count(b'"finish_reason":"stop"') < 2:
        data = connection.sock.recv(65536)
        assert data, received
        received += data
    assert received.count(b"HTTP/1.1 200 OK") == 2


def test_an_old_client_reads_to_the_end(connection: http.client.HTTPConnection, account: str) -> None:
    """HTTP/1.0 knows no chunks: the end of the connection is the end of the stream."""
    body = HELLO[:-1] + b', "stream": true}'
    head = f"POST {CHAT} HTTP/1.0\r\nAuthorization: Bearer {account}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.connect()
    connection.sock.sendall(head.encode() + body)
    received = b""
    while data := connection.sock.recv(65536):
        received += data
    assert received.endswith(b"data: [DONE]\n\n")
    assert b"Transfer-Encoding" not in received


@pytest.mark.parametrize("path", ["/token/check", "/v1/models"])
def test_a_preflight_is_answered_for_every_origin(gateway: GatewayProcess, path: str) -> None:
    headers = {"Origin": "https://chat.example.org", "Access-Control-Request-Method": "POST"}
    answer = requests.options(gateway.url + path, headers=headers, timeout=20)
    assert answer.ok
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_other_paths_answer_no_preflight(gateway: GatewayProcess) -> None:
    headers = {"Origin": "https://chat.example.org", "Access-Control-Request-Method": "GET"}
    for path in ("/ping", "/health/live", "/health/ready"):
        answer = requests.options(gateway.url + path, headers=headers, timeout=20)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_errors_reach_browsers(gateway: GatewayProcess) -> None:
    """Without the header a page would see a network failure instead of the reason."""
    answer = requests.post(gateway.url + CHAT, headers={"Origin": "https://chat.example.org"}, timeout=20)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, "*")


def test_log_lines_for_machines(start_gateway: StartGateway, account: str) -> None:
    gateway = start_gateway(LOG_FORMAT="json")
    named: dict[str, str] = {}
    for directive, stream in (("text", True), ("cut", True), ("reset", False), ("http500", True)):
        body = {"messages": [{"role": "user", "content": f"[[{directive}]]"}], "stream": stream}
        headers = {"Authorization": f"Bearer {account}-{directive}"}
        answer = requests.post(gateway.url + CHAT, json=body, headers=headers, timeout=20)
        named[answer.headers["X-Request-Id"]] = directive
    eventually(lambda: read_ends(gateway).keys() >= named.keys())
    told = {named[name]: line for name, line in read_ends(gateway).items() if name in named}
    assert {name: (line["status"], line["outcome"]) for name, line in told.items()} == {
        "text": (200, "ok"),
        "cut": (200, "answer_cut"),
        "reset": (502, "answer_cut"),
        "http500": (502, "upstream_unreachable"),
    }
    assert all(line["path"] == CHAT and line["duration"] > 0 for line in told.values())
    assert all(told["text"][name] for name in ("account", "first_delta", "frames"))


def read_ends(gateway: GatewayProcess) -> dict[str, Any]:
    """The lines of requests that are over, by the request's id."""
    lines = [json.loads(line) for line in gateway.log().splitlines() if '"logger"' in line]
    return {line["id"]: line for line in lines if line["message"] == "request" and "id" in line}
