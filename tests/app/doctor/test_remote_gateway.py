"""A running gateway is asked at its own address."""

from __future__ import annotations

import socket

import pytest
import requests

from tests.app.doctor.conftest import CallDoctor, Start
from tests.file_server import FileServer, page
from upstream_emulator.emulator import UpstreamEmulator

KEY = "glm-key-0123456789abcdef0123456789abcdef0123"


def test_it_asks_for_its_accounts_itself(call: CallDoctor, start: Start, upstream: UpstreamEmulator) -> None:
    upstream.configure(rotate="hard")
    url = start()
    for _ in range(2):  # the gateway keeps what it got in exchange
        visit = call("--chat", "--url", f"{url}/", given="demo-ann\ndead-bob")
        assert visit.verdict.startswith("expired")
        assert visit.line("gateway").endswith(f"{url} is ready")
        assert len(visit.lines("token")) == 2
        assert visit.line("chat").startswith("ok")
    state = upstream.state()
    assert state["accounts"]["ann"]["answers"] == 2
    upstream.wait_until(lambda state: state["undeleted"] == 0)


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/"])
def test_the_address_that_clients_have_is_understood(call: CallDoctor, start: Start, path: str) -> None:
    url = start()
    visit = call("--url", f"{url}{path}", given="demo-ann")
    assert visit.verdict == "well"
    assert visit.line("gateway").endswith(f"{url} is ready")


def test_what_listens_already_is_not_asked_where_it_would(call: CallDoctor, start: Start) -> None:
    """PORT of this shell has nothing to do with a gateway that is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        visit = call("--url", start(), given="demo-ann", PORT=str(taken.getsockname()[1]))
    assert (visit.lines("server"), visit.verdict) == ([], "well")


def test_where_the_gateway_works_the_line_from_here_is_no_fault(call: CallDoctor, start: Start) -> None:
    url = start()
    visit = call("--url", url, given="demo-ann", GLM_UPSTREAM_URL="http://127.0.0.1:9")
    assert (visit.code, visit.verdict) == (0, "well")
    assert visit.line("network").startswith("note")
    assert "GLM_PROXY" in visit.line("network")
    visit = call("--url", url, GLM_UPSTREAM_URL="http://127.0.0.1:9")
    assert visit.line("network").startswith("FAIL"), "nothing shows that the gateway gets through"


def test_it_asks_the_upstream_and_not_its_memory(
    call: CallDoctor, start: Start, upstream: UpstreamEmulator
) -> None:
    url = start()
    greeting = {"model": "glm", "messages": [{"role": "user", "content": "你好"}]}
    headers = {"Authorization": "Bearer demo-ann"}
    assert requests.post(f"{url}/v1/chat/completions", json=greeting, headers=headers, timeout=10).ok
    call("--url", url, given="demo-ann")
    assert upstream.state()["accounts"]["ann"]["refreshes"] == 2


def test_without_tokens_it_is_only_looked_at(call: CallDoctor, start: Start) -> None:
    visit = call("--url", start())
    assert (visit.code, visit.verdict) == (0, "well")
    assert visit.line("token").startswith("skip")


def test_with_keys_it_wants_one(call: CallDoctor, start: Start) -> None:
    environ = {"GATEWAY_API_KEYS": f"{KEY};admin", "GLM_REFRESH_TOKENS": "demo-ann,dead-bob"}
    url = start(**environ)
    assert "give a gateway key" in call("--url", url, **environ).text
    visit = call("--url", url, "--chat", given=KEY, **environ)
    assert visit.verdict.startswith("expired")
    assert visit.line("chat").startswith("ok")


def test_a_key_that_may_not_see_accounts_may_check_tokens(call: CallDoctor, start: Start) -> None:
    environ = {"GATEWAY_API_KEYS": KEY, "GLM_REFRESH_TOKENS": "demo-ann,dead-bob"}
    url = start(**environ)
    visit = call("--url", url, given=KEY, **environ)
    assert visit.verdict.startswith("expired")
    assert len(visit.lines("token")) == 2
    assert call("--url", url, given=KEY).line("token").startswith("skip")


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [("throttled429", "throttled"), ("waf400", "blocked"), ("http500", "upstream in trouble")],
)
def test_an_account_that_rests(
    call: CallDoctor, start: Start, upstream: UpstreamEmulator, fault: str, verdict: str
) -> None:
    url = start()
    upstream.account("ann", next=[fault])
    assert call("--chat", "--url", url, given="demo-ann").verdict == verdict
    if fault != "http500":
        again = call("--url", url, given="demo-ann")
        assert again.verdict.startswith(f"{verdict} (")
        assert " until 20" in again.line("token")


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [("throttled429", "throttled"), ("waf400", "blocked"), ("http500", "upstream in trouble")],
)
def test_a_refresh_that_fails(
    call: CallDoctor, start: Start, upstream: UpstreamEmulator, fault: str, verdict: str
) -> None:
    url = start()
    upstream.account("ann", refresh_next=[fault])
    visit = call("--url", url, given="demo-ann")
    assert visit.verdict.startswith(verdict)
    assert "could not be asked" in visit.text


def test_it_is_away(call: CallDoctor) -> None:
    visit = call("--url", "http://127.0.0.1:9")
    assert (visit.code, visit.verdict) == (1, "no gateway")
    assert visit.line("gateway").endswith("Connection refused")


@pytest.mark.parametrize("answer", [b"<p>", b"[]", b'{"status": "fine"}', b"\xff", b"[" * 100_000])
def test_something_else_is_there(call: CallDoctor, answer: bytes) -> None:
    with FileServer() as server:
        server.pages["/health/ready"] = page(answer)
        visit = call("--url", server.url)
    assert visit.verdict == "no gateway"
    assert "is no glm-api gateway" in visit.line("gateway")


def test_it_drains(call: CallDoctor) -> None:
    with FileServer() as server:
        server.pages["/below/health/ready"] = page(b'{"status": "draining"}', status="503 Busy")
        visit = call("--url", f"{server.url}/below")
    assert visit.line("gateway").startswith("note")


def test_garbage_instead_of_http(call: CallDoctor) -> None:
    with FileServer() as server:
        server.pages["/health/ready"] = lambda connection: connection.sendall(b"220 smtp ready\r\n")
        assert call("--url", server.url).verdict == "no gateway"
