"""A client that goes away frees its account soon, whatever the request was waiting for.

In a gateway that waits for nothing else: no clock of its own would end a request here before its client is
missed.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterator

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.eventually import eventually
from tests.live.asking import ask
from tests.live.conftest import CLOCKS, StartGateway, connect, count_asked, list_states
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator

# Far below the clocks, far above what a busy machine takes.
NOTICED_SECONDS = 10.0
PATIENCE = {
    "GLM_FIRST_EVENT_SECONDS": "60",
    "GLM_START_SECONDS": "60",
    "GLM_IDLE_SECONDS": "60",
    "GLM_QUEUE_SECONDS": "30",
}
BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


@pytest.fixture(scope="module")
def shared_gateway(
    shared_upstream: UpstreamEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("presence")
    with GatewayProcess(shared_upstream.url, directory, **(CLOCKS | PATIENCE)) as gateway:
        yield gateway


@pytest.fixture
def patient_gateway(start_gateway: StartGateway) -> GatewayProcess:
    """It waits longer for an upstream that is late to name or to stop what nobody waits for any more."""
    return start_gateway(application="tests.live.patient:app", **PATIENCE)


def wait_for_question(upstream: UpstreamEmulator) -> None:
    upstream.wait_until(lambda state: state["requests"].get("/chatglm/backend-api/assistant/stream") == 1)


def is_closed(upstream: UpstreamEmulator) -> None:
    upstream.wait_until(lambda state: state["open_streams"] == 0, NOTICED_SECONDS)


@BOTH
@pytest.mark.parametrize(
    "talk", ["chunks n=5000 pace=20", "stall at=1 seconds=30", "stall at=0 seconds=30", "silence"]
)
def test_leaving_closes_the_upstream_and_frees_the_account(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, talk: str, *, stream: bool
) -> None:
    raw = open_chat(gateway.url, account, f"[[{talk}]]", stream=stream)
    wait_for_question(upstream)
    raw.close()
    is_closed(upstream)
    begun = time.monotonic()
    with connect(gateway, account) as client:
        assert ask(client, "你好", stream=False).finish == "stop"
    assert time.monotonic() - begun < NOTICED_SECONDS
    upstream.wait_until(lambda state: len(state["conversations"]) - state["undeleted"] <= 1)


def test_the_account_is_free_within_a_second(gateway: GatewayProcess, account: str) -> None:
    """The least of five: on a busy machine one of the processes may have to wait, but not each time."""
    freed = []
    for number in range(5):
        token = f"{account}-{number}"
        raw = open_chat(gateway.url, token, "[[chunks n=5000 pace=20]]", stream=True)
        raw.read_until(b'"content":')
        raw.close()
        begun = time.monotonic()
        eventually(lambda token=token: list_states(gateway, token) == ["ready"])  # type: ignore[misc]
        freed.append(time.monotonic() - begun)
    assert min(freed) < 1


@BOTH
def test_an_answer_that_is_left_is_stopped_upstream(
    patient_gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, *, stream: bool
) -> None:
    """An upstream that works on for nobody would refuse the account's next question."""
    raw = open_chat(patient_gateway.url, account, "[[chunks n=5000 pace=20 deaf=1]]", stream=stream)
    wait_for_question(upstream)
    raw.close()
    is_closed(upstream)
    with connect(patient_gateway, account) as client:
        assert ask(client, "你好", stream=False).finish == "stop"
    assert upstream.state()["violations"] == 0


@BOTH
def test_an_answer_that_is_cut_short_is_stopped_upstream(
    patient_gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, *, stream: bool
) -> None:
    with connect(patient_gateway, account) as client:
        for _ in range(3):
            heard = ask(client, "[[chunks n=5000 pace=20 deaf=1]]", stream=stream, max_tokens=5)
            assert heard.finish == "length"
    assert upstream.state()["violations"] == 0


def test_leaving_the_queue(gateway: GatewayProcess, upstream: UpstreamEmulator, account: str) -> None:
    """Who waits and leaves is not asked for, and who stands behind gets the turn."""
    first = open_chat(gateway.url, account, "[[chunks n=5000 pace=20]]", stream=True)
    wait_for_question(upstream)
    before = gateway.log().count("client gone")
    second = open_chat(gateway.url, account, "second", stream=False)
    third = open_chat(gateway.url, account, "third", stream=False)
    second.close()
    eventually(lambda: gateway.log().count("client gone") > before)
    first.close()
    assert b"third" in third.read_until(b'"usage"')
    third.close()
    asked = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("/assistant/stream")]
    assert "second" not in str(asked)


@BOTH
def test_leaving_while_logging_in(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, *, stream: bool
) -> None:
    """The refresh itself goes on, so that no rotated token is lost, but the question is never asked."""
    upstream.configure(refresh_delay_seconds=3)
    raw = open_chat(gateway.url, account, "too late", stream=stream)
    upstream.wait_until(lambda state: state["requests"].get("/chatglm/user-api/user/refresh") == 1)
    raw.close()
    eventually(lambda: "answering" not in list_states(gateway, account), NOTICED_SECONDS)
    with connect(gateway, account) as client:
        ask(client, "in time", stream=False)
    assert "too late" not in str(upstream.requests())
    assert upstream.state()["accounts"][account.removeprefix("demo-")]["refreshes"] == 1


def test_leaving_in_the_middle_of_the_question(gateway: GatewayProcess, upstream: UpstreamEmulator) -> None:
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo-half\r\n")
        raw.sendall(b'Content-Length: 1000\r\n\r\n{"messages": [{"role": "user", "cont')
    assert requests.get(f"{gateway.url}/ping", timeout=10).text == "pong"
    assert count_asked(upstream) == {}


def test_a_client_that_does_not_read_holds_up_nobody(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    """Its answer waits in the sockets between; when it leaves, the account is free again."""
    slow = open_chat(gateway.url, f"{account}-slow", "[[chunks n=4000 size=30000 pace=0]]", stream=True)
    slow.read_until(b'"content":')
    with connect(gateway, account) as client:
        for _ in range(5):
            begun = time.monotonic()
            assert ask(client, "[[text]]", stream=True).finish == "stop"
            assert time.monotonic() - begun < NOTICED_SECONDS
    assert upstream.state()["open_streams"] == 1
    slow.close()
    is_closed(upstream)


def test_leaving_right_after_the_last_event(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    """Clients close at [DONE] without reading the end of the body: giving back must not be interrupted."""
    for _ in range(20):
        raw = open_chat(gateway.url, account, "[[chunks n=2 pace=0]]", stream=True)
        raw.read_until(b"[DONE]")
        raw.close()
    begun = time.monotonic()
    with connect(gateway, account) as client:
        ask(client, "你好", stream=False)
    assert time.monotonic() - begun < NOTICED_SECONDS


def test_a_failed_conversation_is_deleted(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    gateway = start_gateway(GLM_IDLE_SECONDS="1")
    for directive in ("[[cut at=1]]", "[[error-frame at=0]]", "[[stall at=0 seconds=30]]"):
        raw = open_chat(gateway.url, account, directive, stream=False)
        raw.read_until(b'"error"')
        raw.close()
    upstream.wait_until(lambda state: state["conversations"] != [] and state["undeleted"] == 0)


def test_a_name_that_is_on_the_way_is_waited_for(
    patient_gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    """Else the upstream would keep a conversation whose name nobody has read."""
    client = open_chat(patient_gateway.url, account, "[[slowstart delay=3500]]", stream=True)
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    client.close()
    upstream.wait_until(lambda state: state["open_streams"] == 0)
    upstream.wait_until(lambda state: [one["deleted"] for one in state["conversations"]] == [True])


@pytest.mark.parametrize("is_chunked", [False, True])
def test_leaving_while_sending_is_no_mistake_of_the_callers(
    gateway: GatewayProcess, account: str, *, is_chunked: bool
) -> None:
    """The connection is reset in the middle of the body."""
    body = json.dumps({"model": "glm", "messages": [{"role": "user", "content": "x" * 2000}]}).encode()
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(body)}"
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {account}\r\n{framing}\r\n\r\n"
    )
    first_chunk = f"{len(body):x}\r\n" if is_chunked else ""
    written = len(gateway.log())
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall((head + first_chunk).encode() + body[:1000])
        requests.get(f"{gateway.url}/ping", timeout=5)  # what came before it has been begun
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: "path=/v1/chat/completions" in gateway.log()[written:])
    (line,) = [line for line in gateway.log()[written:].splitlines() if "/v1/chat/completions" in line]
    assert line.endswith("outcome=client gone"), line
