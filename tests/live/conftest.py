"""The product under real gunicorn: one gateway for all tests that can share it, and a guard against leaks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from openai import OpenAI

from demo.gateway import GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator

# Short clocks, so that tests of slowness are quick; but no test that is about something else may fail where a
# busy machine lets one of the processes wait for three seconds.
CLOCKS = {
    "GLM_CONNECT_TIMEOUT_SECONDS": "5",
    "GLM_FIRST_EVENT_SECONDS": "5",
    "GLM_START_SECONDS": "15",
    "GLM_COMMIT_SECONDS": "0.3",
    "GLM_IDLE_SECONDS": "4",
    "GLM_HEARTBEAT_SECONDS": "0.2",
    "GLM_QUEUE_SECONDS": "15",
    "GLM_CONVERSATION_TTL": "600",
    "GLM_BREAKER_FAILURES": "1000000",
    "GLM_MAX_BODY_BYTES": str(24 * 1024 * 1024),
}

METRICS_KEY = "metrics-key-of-the-tests"

# Shorter than what an account that is not given back is freed by in the end: a stall, a queue, a start.
GIVING_BACK_SECONDS = 3.5

# Calls that a gateway makes by itself: it deletes and stops what was left, and looks how an account stands.
UNASKED = re.compile("/delete$|/bulk_delete$|/stop_stream$|/user/info$|/video-api/v1/chat/")

StartGateway = Callable[..., GatewayProcess]


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[UpstreamEmulator]:
    with UpstreamEmulator(pace=2) as upstream:
        yield upstream


@pytest.fixture(scope="session")
def shared_gateway(
    shared_upstream: UpstreamEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("gateway")
    settings = CLOCKS | {"METRICS_KEY": METRICS_KEY}
    with GatewayProcess(shared_upstream.url, directory, **settings) as gateway:
        yield gateway


@pytest.fixture
def upstream(upstream: UpstreamEmulator) -> Iterator[UpstreamEmulator]:
    """The upstream behind `gateway`, which must not have been sent what another account was given."""
    yield upstream
    assert upstream.state()["foreign_cookies"] == 0
    check_deletions(upstream)


def check_deletions(upstream: UpstreamEmulator) -> None:
    """Each names exactly one conversation and its assistant: others delete everything (protocol notes 0.2
    row 12).
    """
    assert upstream.state()["wiped"] == 0
    for sent in upstream.requests():
        if sent["path"].endswith("/bulk_delete"):
            (name,) = sent["body"]["conversation_ids"]
            assert len(name) == len(sent["body"]["assistant_id"]) == 24


@pytest.fixture
def gateway(shared_gateway: GatewayProcess, upstream: UpstreamEmulator) -> Iterator[GatewayProcess]:
    """The shared gateway; it must survive the test with no lease out, and log no traceback and no token."""
    written, worker = len(shared_gateway.log()), shared_gateway.worker_pid
    yield shared_gateway
    assert shared_gateway.worker_pid == worker, shared_gateway.log()[written:]
    check_leases(shared_gateway, upstream)
    check_log(shared_gateway, written)


@pytest.fixture
def start_gateway(tmp_path: Path, upstream: UpstreamEmulator) -> Iterator[StartGateway]:
    """Starts gateways with settings of their own, in the test's directory."""
    started: list[GatewayProcess] = []

    def start(**settings: str) -> GatewayProcess:
        gateway = GatewayProcess(upstream.url, tmp_path, **(CLOCKS | settings))
        started.append(gateway)
        gateway.start()
        return gateway

    yield start
    for gateway in started:
        gateway.close()
        check_log(gateway, 0)


@pytest.fixture
def client(gateway: GatewayProcess, account: str) -> Iterator[OpenAI]:
    with connect(gateway, account) as client:
        yield client


def connect(gateway: GatewayProcess, credentials: str) -> OpenAI:
    return OpenAI(base_url=f"{gateway.url}/v1", api_key=credentials, max_retries=0, timeout=30)


def check_leases(gateway: GatewayProcess, upstream: UpstreamEmulator) -> None:
    """No account that the test logged in may still be answering, soon after the last byte."""
    used = {sent["headers"]["authorization"] for sent in upstream.requests() if "refresh" in sent["path"]}
    tokens = ",".join(sorted(header.removeprefix("Bearer ") for header in used))
    deadline = time.monotonic() + GIVING_BACK_SECONDS
    while tokens and "answering" in (states := list_states(gateway, tokens)):
        assert time.monotonic() < deadline, f"a lease is out: {states}"
        time.sleep(0.01)


def count_asked(upstream: UpstreamEmulator) -> dict[str, int]:
    """The calls upstream that somebody asked for, by path. What a gateway does by itself is left out: for an
    earlier test it may do it late.
    """
    calls = upstream.state()["requests"]
    return {path: count for path, count in calls.items() if not UNASKED.search(path)}


def list_states(gateway: GatewayProcess, credentials: str) -> list[str]:
    headers = {"Authorization": f"Bearer {credentials}"}
    answer = requests.get(f"{gateway.url}/v1/accounts", headers=headers, timeout=10)
    return [account["state"] for account in answer.json()["data"]]


def check_log(gateway: GatewayProcess, begin: int) -> None:
    log = gateway.log()[begin:]
    assert "Traceback" not in log, log
    assert "demo-" not in log, "a refresh token stands in the log"
    assert "eyJ" not in log, "an access token stands in the log"
