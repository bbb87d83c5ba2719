"""A recording from a running gateway, for an admin key: what is in it, who gets it, what bounds it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from app.exchange.recorder import SMALL_QUESTION
from demo.gateway import GatewayProcess
from tests.live.conftest import METRICS_KEY, StartGateway, count_asked
from tests.raw_client import open_call
from upstream_emulator.emulator import UpstreamEmulator
from upstream_emulator.replay import read_recording

ADMIN = "glm-key-" + "a" * 40
GUEST = "glm-key-" + "g" * 40
ACCOUNT = "recorded"
TOKEN = f"demo-{ACCOUNT}"


@pytest.fixture
def keyed(start_gateway: StartGateway, upstream: UpstreamEmulator) -> Iterator[GatewayProcess]:
    """With one account, which no other test has made rest. Nothing is left upstream when a test is over."""
    yield start_gateway(
        GATEWAY_API_KEYS=f"{ADMIN};admin,{GUEST}", GLM_REFRESH_TOKENS=TOKEN, GLM_FIRST_EVENT_SECONDS="10"
    )
    upstream.wait_until(lambda state: state["undeleted"] == 0 and state["open_streams"] == 0)


def record(gateway: GatewayProcess, key: str = ADMIN) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.post(f"{gateway.url}/v1/recording", headers=headers, timeout=20)


def rows(answer: requests.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_file_of_shapes_for_the_admin(
    keyed: GatewayProcess, upstream: UpstreamEmulator, tmp_path: Path
) -> None:
    answer = record(keyed)
    head, *told = rows(answer)
    assert (head["recording"], head["truncated"]) == (1, False)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("attachment;")
    paths = [row["sent"]["path"].rpartition("/")[2] for row in told if "sent" in row]
    assert paths == ["stream", "bulk_delete", "info"]
    state = upstream.state()
    ids = [conversation["id"] for conversation in state["conversations"]]
    assert [word for word in (*ids, ACCOUNT, SMALL_QUESTION, "1+1") if word in answer.text] == []
    assert ids
    assert state["undeleted"] == 0
    (file := tmp_path / "recording.jsonl").write_text(answer.text, "utf-8")
    assert [answer.end for answer in read_recording(file)] == ["whole"] * 3
    assert list(tmp_path.rglob("*.jsonl")) == [file], "the gateway keeps none"


def test_nobody_else_gets_one(keyed: GatewayProcess, upstream: UpstreamEmulator) -> None:
    refused = record(keyed, GUEST)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    assert "marked `admin`" in refused.json()["error"]["message"]
    assert record(keyed, GUEST[:-1] + "x").status_code == 401
    assert upstream.state()["requests"].get("/chatglm/backend-api/assistant/stream", 0) == 0


def test_it_is_off_without_gateway_keys(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    assert record(gateway, account).status_code == 403
    assert record(gateway, METRICS_KEY).status_code == 401
    assert count_asked(upstream) == {}


@pytest.mark.parametrize(
    "step", ["error-frame", "cut at=2", "filter", "bytes", "html502", "waf200", "json200", "empty", "hangup"]
)
def test_what_goes_wrong_is_worth_knowing_as_well(
    keyed: GatewayProcess, upstream: UpstreamEmulator, step: str
) -> None:
    upstream.account(ACCOUNT, next=[step])
    assert any("stream" in row.get("sent", {}).get("path", "") for row in rows(record(keyed)))


def test_an_endless_answer_is_cut_off(keyed: GatewayProcess, upstream: UpstreamEmulator) -> None:
    upstream.account(ACCOUNT, next=["bigline size=3000000"])
    answer = record(keyed)
    assert rows(answer)[0]["truncated"] is True
    assert len(answer.content) < 1024 * 1024


def test_one_at_a_time(keyed: GatewayProcess, upstream: UpstreamEmulator) -> None:
    upstream.account(ACCOUNT, next=["text delay=3000"])
    first = open_call(keyed.url, "POST", "/v1/recording", ADMIN)
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    second = record(keyed)
    assert (second.status_code, second.json()["error"]["code"]) == (503, "too_many_streams")
    assert second.headers["retry-after"]
    assert first.read_answer().status == 200
    first.close()
    assert record(keyed).status_code == 200


def test_who_leaves_leaves_nothing_and_bars_nobody(keyed: GatewayProcess, upstream: UpstreamEmulator) -> None:
    upstream.account(ACCOUNT, next=["text pace=300"])
    client = open_call(keyed.url, "POST", "/v1/recording", ADMIN)
    upstream.wait_until(lambda state: state["undeleted"] == 1)
    client.close()
    upstream.wait_until(lambda state: state["undeleted"] == 0)
    assert record(keyed).status_code == 200


def test_a_deletion_that_fails_is_made_up_for(keyed: GatewayProcess, upstream: UpstreamEmulator) -> None:
    upstream.account(ACCOUNT, delete_next=["http500", "http500", "http500"])
    assert record(keyed).status_code == 200
    upstream.wait_until(lambda state: state["undeleted"] == 0, seconds=60)  # after fifteen


def test_it_is_refused_where_a_secret_would_be_in_it(
    start_gateway: StartGateway, upstream: UpstreamEmulator
) -> None:
    """Nothing is known to let one in; so a word that is always in it is made one."""
    keys = {"GATEWAY_API_KEYS": f"{ADMIN};admin", "GLM_REFRESH_TOKENS": TOKEN}
    refused = record(start_gateway(METRICS_KEY="backend-api/assistant", **keys))
    assert refused.status_code == 502
    assert "known to be a secret" in refused.json()["error"]["message"]
    assert "conversation_id" not in refused.text
