"""Nothing is lost to a fault that passes: a refusal by mistake, a locked file, a line that is no token."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from demo.gateway import GatewayFailed, GatewayProcess
from tests.eventually import eventually
from tests.live_accounts.asking import ask
from tests.live_accounts.conftest import StartGateway
from upstream_emulator.emulator import UpstreamEmulator

METRICS_KEY = "m" * 32
KEY = "glm-" + "k" * 43


def rotate(gateway: GatewayProcess, upstream: UpstreamEmulator, name: str, times: int) -> None:
    for _ in range(times):
        upstream.account(name, expire_access=True)
        assert ask(gateway, f"demo-{name}").good


def read_state(gateway: GatewayProcess) -> tuple[int, str, float]:
    """Whether it is ready, and where it says that it keeps its state."""
    ready = requests.get(f"{gateway.url}/health/ready", timeout=5)
    headers = {"Authorization": f"Bearer {METRICS_KEY}"}
    lines = requests.get(f"{gateway.url}/metrics", headers=headers, timeout=5).text.splitlines()
    (gauge,) = [line.split()[1] for line in lines if line.startswith("glm_state_in_memory ")]
    return ready.status_code, ready.json()["state"], float(gauge)


def wait_until_kept(gateway: GatewayProcess) -> None:
    deadline = time.monotonic() + 30
    while read_state(gateway) != (200, "kept", 0.0):
        assert time.monotonic() < deadline, gateway.log()
        time.sleep(0.05)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_one_refused_round_loses_no_account(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """The upstream rotates hard: older tokens are dead. And it refuses the newest one once, being ill."""
    upstream.configure(rotate="hard")
    gateway = start()
    rotate(gateway, upstream, "ill", 3)
    upstream.account("ill", expire_access=True, refresh_next=["expired"])
    assert ask(gateway, "demo-ill").code == "account_expired"
    gateway.kill()
    assert ask(start(), "demo-ill").good
    assert upstream.state()["refusals"]["40102"] == 3


def test_a_page_that_says_401_is_no_refusal(start: StartGateway, upstream: UpstreamEmulator) -> None:
    upstream.configure(rotate="hard")
    gateway = start()
    rotate(gateway, upstream, "page", 2)
    upstream.account("page", expire_access=True, refresh_next=["html401"])
    assert ask(gateway, "demo-page").code == "upstream_unreachable"
    time.sleep(0.3)  # it rests for a moment only
    assert ask(gateway, "demo-page").good
    assert upstream.state()["refusals"].get("40102") is None, "an older token was tried"


def test_rotations_while_the_file_is_locked_survive_a_crash(
    start: StartGateway, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    upstream.configure(rotate="hard")
    gateway = start(METRICS_KEY=METRICS_KEY)
    rotate(gateway, upstream, "locked", 1)
    assert read_state(gateway) == (200, "kept", 0.0)
    with locked(tmp_path / "state.sqlite3"):
        rotate(gateway, upstream, "locked", 2)
        assert read_state(gateway) == (200, "in memory", 1.0)
        rotate(gateway, upstream, "locked", 1)
    wait_until_kept(gateway)
    eventually(lambda: "works again" in gateway.log())
    gateway.kill()
    assert gateway.log().count("going on in memory") == gateway.log().count("works again") == 1
    gateway = start(METRICS_KEY=METRICS_KEY)
    rotate(gateway, upstream, "locked", 1)
    assert upstream.state()["refusals"].get("40102") is None


def test_a_file_of_a_later_version_ends_the_start(start: StartGateway, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as connection:
        connection.execute("PRAGMA user_version = 1000")
    with pytest.raises(GatewayFailed, match=r"GLM_STATE_PATH .* newer glm-api: schema 1000"):
        start()


def test_a_wrong_line_of_the_tokens_file(start: StartGateway, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.txt"
    settings = {"GLM_REFRESH_TOKENS_FILE": str(tokens), "GATEWAY_API_KEYS": f"x={KEY}"}
    tokens.write_text("demo-line-one\n中文-pasted-token\n", "utf-8")
    with pytest.raises(GatewayFailed, match="GLM_REFRESH_TOKENS_FILE is wrong: line 2 ") as raised:
        start(**settings)
    assert "中文" not in str(raised.value)
    tokens.write_text("demo-line-one\n", "utf-8")
    gateway = start(**settings)
    assert ask(gateway, KEY).good
    tokens.write_text("中文-pasted-token\ndemo-line-one\ndemo-line-two\n", "utf-8")
    time.sleep(1.1)  # it is looked at once a second
    assert all(ask(gateway, KEY).good for _ in range(6))
    assert gateway.log().count("line 1 holds characters") == 1
    assert "中文" not in gateway.log()
