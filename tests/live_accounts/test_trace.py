"""Nothing is left upstream, whatever happens to the process in between."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo.gateway import ROOT, GatewayProcess
from tests.acceptance.accounts import KEY, find_leaks
from tests.acceptance.chaos import TTL_SECONDS, Chaos, run_chaos
from tests.acceptance.control import Control
from tests.eventually import eventually
from tests.live_accounts.asking import ask, call
from tests.live_accounts.conftest import SECRETS, StartGateway
from tests.raw_client import RawClient, open_chat
from upstream_emulator.emulator import UpstreamEmulator

DELETE_PATH = "/chatglm/mainchat-api/conversation/bulk_delete"
OPERATOR = {"GLM_REFRESH_TOKENS": "demo-a,demo-b", "GATEWAY_API_KEYS": "ops=glm-key-" + "o" * 40}
MERGED = {
    "model": "glm",
    "messages": [
        {"role": "system", "content": "简短"},
        {"role": "user", "content": "[[chunks n=250 pace=20]]"},
    ],
}
OPERATOR_KEY = "glm-key-" + "o" * 40


def open_streams(gateway: GatewayProcess, tokens: list[str]) -> list[RawClient]:
    clients = [open_chat(gateway.url, token, "[[chunks n=900 pace=20]]", stream=True) for token in tokens]
    for client in clients:
        client.read_until(b'"content"')
    return clients


def test_every_bad_end_and_two_kills(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """Half a minute of `make bench-accounts` in short."""
    chaos = Chaos(questions=100)
    settings = {
        "GLM_REFRESH_TOKENS": ",".join(chaos.tokens),
        "GATEWAY_API_KEYS": f"bench={KEY}",
        "GLM_CONVERSATION_TTL": str(TTL_SECONDS),
    }
    result = run_chaos(chaos, lambda: start(**settings), KEY, Control(upstream.url))
    assert result.killed_streams == 100
    assert result.conversations > 200
    assert (result.undeleted, result.deleted_while_in_use, result.violations) == (0, 0, 0)


def test_in_pass_through_it_waits_for_the_account(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """Nobody else holds the token: what was left goes as soon as the account shows up, others' stay."""
    gateway = start(GLM_CONVERSATION_TTL="0.5")
    tokens = [f"demo-left{number}" for number in range(20)]
    clients = open_streams(gateway, tokens)
    gateway.kill()
    for client in clients:
        client.close()
    gateway = start(GLM_CONVERSATION_TTL="0.5")
    upstream.wait_until(lambda state: state["open_streams"] == 0)
    assert upstream.state()["undeleted"] == 20
    assert call(gateway, "GET", "/v1/accounts", ",".join(tokens[:7])).status_code == 200
    upstream.wait_until(lambda state: state["undeleted"] == 13)
    assert ask(gateway, ",".join(tokens)).good
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_configured_accounts_are_cleaned_up_at_once(start: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start(**OPERATOR, GLM_CONVERSATION_TTL="0.2")
    clients = open_streams(gateway, [OPERATOR_KEY] * 2)
    gateway.kill()
    for client in clients:
        client.close()
    upstream.wait_until(lambda state: state["open_streams"] == 0)
    assert upstream.state()["undeleted"] == 2
    start(**OPERATOR)
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_deletions_that_fail_are_tried_again(start: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start(GLM_CONVERSATION_TTL="0")
    upstream.account("a", delete_next=["http500"])
    assert ask(gateway, "demo-a").good
    upstream.wait_until(lambda state: state["requests"].get(DELETE_PATH, 0) == 1)
    assert upstream.state()["undeleted"] == 1
    upstream.wait_until(lambda state: state["undeleted"] == 0)
    assert upstream.state()["requests"][DELETE_PATH] == 2


def test_what_exists_no_longer_counts_as_deleted(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """The user was faster, in the browser."""
    gateway = start(GLM_CONVERSATION_TTL="4")
    answer = ask(gateway, "demo-a")
    upstream._call(lambda: upstream._world.conversations.delete([answer.id], "a", "65940acff94777010aa6b796"))
    upstream.wait_until(lambda state: state["refused_deletions"] == 1)
    eventually(lambda: call(gateway, "GET", "/v1/conversations", "demo-a").json()["data"] == [])
    assert upstream.state()["requests"][DELETE_PATH] == 1


def test_a_long_backlog_is_no_burst(start: StartGateway, upstream: UpstreamEmulator, tmp_path: Path) -> None:
    gateway = start(GLM_CONVERSATION_TTL="600")
    for _ in range(4):
        assert ask(gateway, "demo-a").good
    assert call(gateway, "GET", "/ping").ok  # the round that ended the last answer is over, and written
    gateway.kill()
    with sqlite3.connect(tmp_path / "state.sqlite3") as state:
        state.execute("UPDATE conversation SET due = due - 10000")
    state.close()
    gateway = start()
    begun = time.monotonic()
    assert call(gateway, "GET", "/v1/accounts", "demo-a").status_code == 200
    upstream.wait_until(lambda state: state["undeleted"] == 0)
    assert 1.4 < time.monotonic() - begun < 10


def test_a_stop_drains_and_leaves_the_rest_for_later(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """Streams end by themselves, what is due goes, what is kept stays in the state file."""
    gateway = start(GLM_DRAIN_SECONDS="20")
    kept = ask(gateway, "demo-kept")
    streaming = open_chat(gateway.url, "demo-streaming", "[[chunks n=250 pace=20]]", stream=True)
    streaming.read_until(b'"content"')
    with ThreadPoolExecutor(1) as threads:
        merged = threads.submit(call, gateway, "POST", "/v1/chat/completions", "demo-merged", MERGED)
        upstream.wait_until(lambda state: state["open_streams"] == 2)
        os.kill(gateway.pid, signal.SIGTERM)
        assert b"[DONE]" in streaming.read_until(b"[DONE]")
        streaming.close()
        assert merged.result().ok
    eventually(lambda: not gateway.is_running, 30)
    left = {one["account"] for one in upstream.state()["conversations"] if not one["deleted"]}
    assert left == {"kept", "streaming"}, "the merged one was due when it ended"
    assert ask(start(), "demo-kept", conversation_id=kept.id).id == kept.id


def test_a_stop_cuts_what_does_not_end_in_time(start: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start(GLM_DRAIN_SECONDS="0", GLM_CONVERSATION_TTL="0.1")
    clients = open_streams(gateway, ["demo-a", "demo-b"])
    os.kill(gateway.pid, signal.SIGTERM)
    eventually(lambda: not gateway.is_running)
    for client in clients:
        client.close()
    call(start(), "GET", "/v1/accounts", "demo-a,demo-b")
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_a_killed_worker_is_replaced(start: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start(GLM_CONVERSATION_TTL="0.3")
    clients = open_streams(gateway, ["demo-a", "demo-b"])
    os.kill(gateway.worker_pid, signal.SIGKILL)
    for client in clients:
        with pytest.raises(AssertionError, match="hung up"):
            client.read_until(b"[DONE]")
        client.close()
    eventually(lambda: _answers(gateway))
    assert ask(gateway, "demo-a,demo-b").good
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def _answers(gateway: GatewayProcess) -> bool:
    try:
        return call(gateway, "GET", "/ping").ok
    except OSError:
        return False


def test_two_gateways_on_one_state_file(
    start: StartGateway, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    """The second one says so and ends; the first one does not notice."""
    first = start()
    second = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
        cwd=ROOT,
        env=first._environment() | {"PORT": "0"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode != 0
    assert "GLM_STATE_PATH" in second.stderr
    assert "in use by another gateway" in second.stderr
    assert ask(first, "demo-a").good


@pytest.mark.parametrize("trouble", ["no directory", "damaged"])
def test_a_state_file_that_cannot_be_used(
    start: StartGateway, upstream: UpstreamEmulator, tmp_path: Path, trouble: str
) -> None:
    """The gateway says so and serves."""
    path = tmp_path / "file" / "state.sqlite3" if trouble == "no directory" else tmp_path / "state.sqlite3"
    (tmp_path / "file").write_text("")
    if trouble == "damaged":
        path.write_bytes(b"no database " * 1000)
    gateway = start(GLM_STATE_PATH=str(path), GLM_CONVERSATION_TTL="0")
    assert ("will forget" if trouble == "no directory" else "set aside") in gateway.log()
    assert ask(gateway, "demo-a").good
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_the_search_for_secrets_finds_them(tmp_path: Path) -> None:
    """The guard of every test here."""
    (tmp_path / "log").write_text("before demo-ann after")
    (tmp_path / "clean").write_text("nothing")
    assert find_leaks(tmp_path, SECRETS) == ["log"]
