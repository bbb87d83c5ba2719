"""deploy/nginx.conf in a real nginx: pieces arrive one by one, and who leaves frees the account.

Run by `make test-deploy`; a missing nginx fails.
"""

from __future__ import annotations

import itertools
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from demo.gateway import GatewayProcess
from demo.upstream import DemoUpstream

CONFIGURATION = Path(__file__).parents[2] / "deploy/nginx.conf"
FRAME = """daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    {server}
}}
"""


@pytest.fixture
def upstream() -> Iterator[DemoUpstream]:
    with DemoUpstream() as upstream:
        yield upstream


@pytest.fixture
def url(upstream: DemoUpstream, tmp_path: Path) -> Iterator[str]:
    """Of an nginx in front of a gateway."""
    port = find_free_port()
    with GatewayProcess(upstream.url, tmp_path) as gateway:
        server = CONFIGURATION.read_text("utf-8")
        server = server.replace("listen 80;", f"listen 127.0.0.1:{port};")
        server = server.replace("server 127.0.0.1:8000;", f"server {gateway.url.removeprefix('http://')};")
        path = tmp_path / "nginx.conf"
        path.write_text(FRAME.format(directory=tmp_path, server=server), "utf-8")
        process = subprocess.Popen(["nginx", "-c", str(path), "-e", str(tmp_path / "start.log")])
        try:
            wait_for(f"http://127.0.0.1:{port}/ping", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            assert requests.get(address, timeout=2).text == "pong"
            return
        except requests.ConnectionError:
            assert process.poll() is None, "nginx ended"
            assert time.monotonic() < deadline, "nginx does not answer"
            time.sleep(0.02)


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


def test_a_client_that_leaves_is_noticed_upstream_within_a_second(url: str, upstream: DemoUpstream) -> None:
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
