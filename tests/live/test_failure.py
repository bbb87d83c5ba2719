"""No failure is ever a success: the official client raises in every situation, streamed and whole."""

from __future__ import annotations

import pytest
from openai import APIError, APIStatusError, OpenAI

from demo.gateway import ROOT, GatewayProcess
from tests.live.asking import ask
from tests.live.conftest import StartGateway, connect
from tests.live.situation import AFTER, BEFORE, Situation
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator

BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def told(error: APIStatusError) -> tuple[int, str | None, str | None]:
    return error.status_code, error.type, error.code


@BOTH
@pytest.mark.parametrize("situation", BEFORE, ids=lambda situation: situation.directive)
def test_before_the_first_delta_there_is_a_status(
    client: OpenAI, situation: Situation, *, stream: bool
) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask(client, f"[[{situation.directive}]]", stream=stream)
    assert told(raised.value) == situation[1:]
    if situation.status in (429, 503):
        assert int(raised.value.response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("situation", AFTER, ids=lambda situation: situation.directive)
def test_after_the_first_delta_there_is_an_error_event(client: OpenAI, situation: Situation) -> None:
    heard = []
    with pytest.raises(APIError) as raised:  # noqa: PT012 - it raises in the middle
        for chunk in client.chat.completions.create(
            model="glm", messages=[{"role": "user", "content": f"[[{situation.directive}]]"}], stream=True
        ):
            heard.append(chunk)  # noqa: PERF402
    assert not isinstance(raised.value, APIStatusError)
    assert (raised.value.type, raised.value.code) == situation[2:]
    assert any(chunk.choices[0].delta.content for chunk in heard)
    assert all(chunk.choices[0].finish_reason is None for chunk in heard)


@pytest.mark.parametrize("situation", AFTER, ids=lambda situation: situation.directive)
def test_a_whole_answer_keeps_its_status(client: OpenAI, situation: Situation) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask(client, f"[[{situation.directive}]]", stream=False)
    assert told(raised.value) == situation[1:]


@pytest.mark.parametrize("situation", sorted({situation[1:] for situation in BEFORE + AFTER}), ids=str)
def test_the_documentation_says_so(situation: tuple[int, str, str]) -> None:
    status, kind, code = situation
    row = f"| {status} | `{kind}` | `{code}` |"
    assert row in (ROOT / "docs/errors.md").read_text("utf-8")


@BOTH
def test_an_upstream_that_goes_away_and_comes_back(
    client: OpenAI, upstream: UpstreamEmulator, account: str, *, stream: bool
) -> None:
    assert ask(client, "[[text]]", stream=stream).finish == "stop"
    upstream.configure(down=True)
    with pytest.raises(APIStatusError) as raised:
        ask(client, "[[text]]", stream=stream)
    assert told(raised.value) == (502, "api_error", "upstream_unreachable")
    upstream.configure(down=False)
    assert ask(client, "[[text]]", stream=stream).finish == "stop"


def test_the_error_event_is_the_last(gateway: GatewayProcess, account: str) -> None:
    """No finish_reason, no [DONE], and the body ends cleanly."""
    raw = open_chat(gateway.url, account, "[[cut]]", stream=True)
    received = raw.read_until(b"\r\n0\r\n\r\n")
    raw.close()
    assert received.count(b'data: {"error":') == 1
    assert b"[DONE]" not in received
    assert b'"finish_reason":"' not in received


def test_silence_after_the_commit_point_is_filled_with_comments(
    gateway: GatewayProcess, account: str
) -> None:
    raw = open_chat(gateway.url, account, "[[stall at=1 seconds=30]]", stream=True)
    received = raw.read_until(b": ping\n\n")
    raw.close()
    assert b'"role":"assistant"' in received


def test_an_upstream_that_is_away(start_gateway: StartGateway, account: str) -> None:
    gateway = start_gateway(GLM_UPSTREAM_URL="http://127.0.0.1:9")
    for stream in (True, False):
        with pytest.raises(APIStatusError) as raised:
            ask(connect(gateway, account), "你好", stream=stream)
        assert (raised.value.status_code, raised.value.code) == (502, "upstream_unreachable")
