"""deploy/nginx.conf in a real nginx: pieces arrive one by one, and who leaves frees the account.

Run by `make test-deploy`; a missing nginx fails.
"""

from __future__ import annotations

import itertools
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.deploy.front import HOST, Nginx
from upstream_emulator.emulator import UpstreamEmulator


@pytest.fixture
def upstream() -> Iterator[UpstreamEmulator]:
    with UpstreamEmulator() as upstream:
        yield upstream


@pytest.fixture
def gateway(upstream: UpstreamEmulator, tmp_path: Path) -> Iterator[str]:
    """The address of one, as nginx wants it."""
    with GatewayProcess(upstream.url, tmp_path) as gateway:
        yield gateway.url.removeprefix("http://")


@pytest.fixture
def url(gateway: str, tmp_path: Path) -> Iterator[str]:
    with Nginx(tmp_path, [gateway]) as nginx:
        yield nginx.url


def ask(url: str, directive: str) -> requests.Response:
    body = {"model": "glm", "stream": True, "messages": [{"role": "user", "content": directive}]}
    headers = {"Authorization": "Bearer demo-nginx"}
    return requests.post(f"{url}/v1/chat/completions", json=body, headers=headers, stream=True, timeout=20)


def test_pieces_arrive_one_by_one(url: str) -> None:
    with ask(url, "[[chunks n=20 pace=100]]") as answer:
        arrivals = [
            time.monotonic() for line in answer.iter_lines(chunk_size=1) if line.startswith(b"data: {")
        ]
    assert len(arrivals) >= 20
    assert arrivals[-1] - arrivals[0] > 1.5
    longest = max(later - earlier for earlier, later in itertools.pairwise(arrivals))
    assert longest < 0.6, "pieces were held back"


def test_a_client_that_leaves_is_noticed_upstream_within_a_second(
    url: str, upstream: UpstreamEmulator
) -> None:
    answer = ask(url, "[[chunks n=600 pace=100]]")
    # Kept in hand: an iterator that is thrown away closes the connection.
    lines = answer.iter_lines(chunk_size=1)
    first = next(lines)
    assert first.startswith(b'data: {"id"'), first
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    answer.close()
    upstream.wait_until(lambda state: state["open_streams"] == 0, seconds=1)


def test_a_long_list_of_tokens_passes(url: str) -> None:
    headers = {"Authorization": "Bearer " + ",".join(f"demo-{'n' * 480}{number}" for number in range(100))}
    assert requests.get(f"{url}/v1/models", headers=headers, timeout=10).status_code == 200


def test_bodies_pass_up_to_the_bound_of_the_gateway(url: str) -> None:
    headers = {"Authorization": "Bearer demo-nginx"}
    answer = requests.post(f"{url}/v1/chat/completions", data=b"x" * 4_000_000, headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as connection:
        length = 48 * 1024 * 1024 + 1
        connection.sendall(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n".encode())
        answer_head = connection.recv(65536)
    assert answer_head.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nServer: nginx" in answer_head, "the gateway was asked"


def test_it_speaks_tls(gateway: str, tmp_path: Path) -> None:
    with Nginx(tmp_path, [gateway], tls=True) as nginx:
        context = ssl.create_default_context(cafile=nginx.certificate)
        with (
            socket.create_connection(("127.0.0.1", nginx.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as connection,
        ):
            assert connection.version() == "TLSv1.3"
            connection.sendall(f"GET /ping HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            assert connection.makefile("rb").read().endswith(b"\r\n\r\npong")
