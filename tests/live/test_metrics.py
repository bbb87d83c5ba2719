"""What the gateway says of itself to Prometheus, after real requests with all kinds of ends."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import requests
from openai import APIError
from prometheus_client.parser import text_string_to_metric_families as parse_metrics

from demo.gateway import GatewayProcess
from tests.live.asking import ask
from tests.live.conftest import METRICS_KEY, StartGateway, connect
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator

Samples = dict[tuple[str, ...], float]
CHAT = "/v1/chat/completions"


def scrape(gateway: GatewayProcess) -> Samples:
    """Every sample by its name and the values of its labels, in the labels' order."""
    answer = requests.get(
        f"{gateway.url}/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"}, timeout=10
    )
    assert answer.status_code == 200
    found = [sample for family in parse_metrics(answer.text) for sample in family.samples]
    return {(one.name, *(value for _, value in sorted(one.labels.items()))): one.value for one in found}


def wait_for(gateway: GatewayProcess, holds: Callable[[Samples], bool]) -> Samples:
    deadline = time.monotonic() + 20
    while not holds(samples := scrape(gateway)):
        assert time.monotonic() < deadline, samples
        time.sleep(0.02)
    return samples


def is_idle(samples: Samples) -> bool:
    return samples["glm_open_streams",] == samples["glm_queue_length",] == 0


def test_every_end_is_counted(start_gateway: StartGateway, upstream: UpstreamEmulator) -> None:
    gateway = start_gateway(METRICS_KEY=METRICS_KEY)
    for account, question in (
        ("demo-a", "你好"),
        ("demo-b", "[[http500]]"),
        ("demo-c", "[[cut]]"),
        ("demo-d", "[[waf400]]"),
        ("dead-e", "你好"),
        ("dead-f,demo-a", "你好"),
    ):
        with connect(gateway, account) as client, contextlib.suppress(APIError):
            ask(client, question, stream=True)
    expected = {
        ("glm_requests_total", "ok", CHAT): 2,
        ("glm_requests_total", "upstream_unreachable", CHAT): 1,
        ("glm_requests_total", "answer_cut", CHAT): 1,
        ("glm_requests_total", "account_blocked", CHAT): 1,
        ("glm_requests_total", "account_expired", CHAT): 1,
        ("glm_request_seconds_count", CHAT): 6,
        ("glm_first_delta_seconds_count",): 3,
        ("glm_queue_seconds_count",): 7,
        ("glm_refreshes_total", "ok"): 4,
        ("glm_refreshes_total", "account_expired"): 2,
        ("glm_cool_downs_total", "unreachable"): 2,
        ("glm_cool_downs_total", "blocked"): 1,
        ("glm_cool_downs_total", "rejected"): 2,
        ("glm_upstream_errors_total", "answer_cut"): 1,
        ("glm_upstream_errors_total", "account_expired"): 2,
        ("glm_accounts", "blocked"): 1,
        ("glm_accounts", "expired"): 1,  # the other one never lived, and was nobody's companion
        ("glm_open_streams",): 0,
        ("glm_queue_length",): 0,
    }
    samples = wait_for(gateway, lambda samples: samples.get(("glm_request_seconds_count", CHAT)) == 6)
    assert {key: samples.get(key) for key in expected} == expected
    assert samples["glm_frames_total",] > 10
    assert 0 < samples["glm_request_seconds_sum", CHAT] < 60
    wait_for(gateway, lambda now: now["glm_undeleted_conversations",] == upstream.state()["undeleted"])


def test_what_is_open_and_what_waits(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    gone = ("glm_requests_total", "client gone", CHAT)
    before = scrape(gateway).get(gone, 0)
    first = open_chat(gateway.url, account, "[[chunks n=5000 pace=20]]", stream=True)
    first.read_until(b'"content":')
    second = open_chat(gateway.url, account, "second", stream=False)
    samples = wait_for(gateway, lambda samples: samples["glm_queue_length",] == 1)
    assert samples["glm_open_streams",] == 2
    assert samples["glm_accounts", "answering"] == 1
    second.close()
    first.close()
    # An earlier test's client that left may be counted late, beside these two.
    wait_for(gateway, lambda samples: samples.get(gone, 0) >= before + 2 and is_idle(samples))


def test_a_conversation_that_cannot_be_deleted_is_overdue(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    """Also while the next try is awaited; one that is in use or kept is not."""
    gateway = start_gateway(METRICS_KEY=METRICS_KEY, GLM_CONTINUE="off")
    upstream.account(account.removeprefix("demo-"), delete_next=["http500"] * 100)
    with connect(gateway, account) as client:
        ask(client, "kept", stream=False)
        assert scrape(gateway)["glm_overdue_conversations",] == 0
        messages = [{"role": "system", "content": "brief"}, {"role": "user", "content": "merged"}]
        client.chat.completions.create(model="glm", messages=messages)  # type: ignore[arg-type]
    upstream.wait_until(lambda state: any("delete" in path for path in state["requests"]))
    samples = wait_for(gateway, lambda samples: samples["glm_overdue_conversations",] == 1)
    assert samples["glm_undeleted_conversations",] == 2


def test_what_nobody_knows_is_counted_and_logged_once(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    name = ("glm_unknown_content_total", "hologram", "content type")
    before = scrape(gateway).get(name, 0)
    with connect(gateway, account) as client:
        for stream in (True, False, True):
            assert ask(client, "[[unknown]]", stream=stream).finish == "stop"
    assert scrape(gateway)[name] >= before + 3
    assert gateway.log().count("hologram") == 1
