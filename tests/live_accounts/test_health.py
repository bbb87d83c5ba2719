"""Accounts that fail, an upstream that is away, queues that are full."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.place import start_upstream
from demo.gateway import GatewayProcess
from tests.acceptance.control import Control
from tests.acceptance.failover import run_failover
from tests.acceptance.fairness_load import FairnessLoad, run_fairness_load
from tests.eventually import eventually
from tests.live.conftest import CLOCKS
from tests.live_accounts.asking import ask, call
from tests.live_accounts.conftest import StartGateway
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator

STREAM_PATH = "/chatglm/backend-api/assistant/stream"
# The promise is 50 ms, measured by `make bench-accounts` on a machine that does nothing else. Here others may
# take the processors from everybody for a moment, which then is in many waits, but not in most of them.
MAX_USUAL_IDLE_MS = 250
MAX_IDLE_MS = 4000


def test_a_crowd_is_served_fairly() -> None:
    with start_upstream() as upstream, GatewayProcess(upstream.url, None, **CLOCKS) as gateway:
        load = FairnessLoad(clients=100, accounts=10, seconds=3, chunks=6)
        fairness, state = run_fairness_load(load, gateway.url, Control(upstream.url))
    assert fairness.problems == []
    assert fairness.answers + fairness.refusals == load.clients * load.rounds
    assert fairness.overtakings == []
    assert sorted(fairness.waits_ms)[len(fairness.waits_ms) // 2] < MAX_USUAL_IDLE_MS
    assert fairness.worst_wait_ms < MAX_IDLE_MS
    assert state["violations"] == 0
    assert [name for name, one in state["accounts"].items() if one["parallel_refreshes"]] == []


def test_refusals_of_a_crowd_are_proper() -> None:
    """Too many for the queue time: 429 with Retry-After, and the others are answered in order."""
    settings = CLOCKS | {"GLM_QUEUE_SECONDS": "1"}
    with start_upstream() as upstream, GatewayProcess(upstream.url, None, **settings) as gateway:
        load = FairnessLoad(clients=60, accounts=3, choice=2, seconds=1, chunks=10)
        fairness, state = run_fairness_load(load, gateway.url, Control(upstream.url))
    assert fairness.problems == []
    assert fairness.refusals > 0
    assert fairness.answers > 0
    assert fairness.overtakings == []
    assert state["violations"] == 0


def test_one_dead_and_one_throttled_of_three() -> None:
    with start_upstream() as upstream, GatewayProcess(upstream.url, None, **CLOCKS) as gateway:
        trials = run_failover(gateway.url, Control(upstream.url), 3)
    assert set(trials.statuses) == {200}
    assert trials.statuses[200] > 5
    assert {name: len(moments) for name, moments in trials.tried.items()} == {"dead": 1, "throttled": 1}


def test_an_account_that_stays_throttled_rests_longer_each_time(
    gateway: GatewayProcess, upstream: UpstreamEmulator, tokens: list[str]
) -> None:
    upstream.account(tokens[0].removeprefix("demo-"), next=["throttled429"] * 100)
    first = ask(gateway, tokens[0])
    assert (first.status, first.code) == (429, "upstream_throttled")
    again = ask(gateway, tokens[0])
    assert (again.status, again.code) == (429, "upstream_throttled")
    assert 25 <= again.retry_after <= 37
    assert again.seconds < 5, "nobody waits for it"
    assert upstream.state()["requests"][STREAM_PATH] == 1
    (account,) = call(gateway, "GET", "/v1/accounts", tokens[0]).json()["data"]
    assert (account["state"], account["last_error"]) == ("cooling", "upstream_throttled")
    assert account["cooling_until"] - time.time() == pytest.approx(again.retry_after, abs=6)


@pytest.mark.parametrize(
    ("trouble", "state"),
    [("waf400", "blocked"), ("busy429", "cooling"), ("busy", "cooling"), ("", "expired")],
)
def test_states_that_a_person_can_read(
    gateway: GatewayProcess, upstream: UpstreamEmulator, tokens: list[str], trouble: str, state: str
) -> None:
    account = tokens[0].removeprefix("demo-")
    if trouble:
        upstream.account(account, next=[trouble])
    else:
        assert ask(gateway, tokens[0]).good, "of a token that never lived nothing is kept"
        upstream.account(account, blocked=True)
    ask(gateway, tokens[0])
    answer = call(gateway, "GET", "/v1/accounts", ",".join(tokens[:2])).json()
    assert [one["state"] for one in answer["data"]] == [state, "unknown"]
    standing = {"points", "is_blocked"}  # where the upstream said it
    known = {"label", "state", "since", "cooling_until", "replies", "last_error"}
    assert set(answer["data"][0]) - standing == known
    assert account not in str(answer)


def test_an_upstream_that_is_away_and_comes_back(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """After some failures the gateway says so at once; when the upstream is back it finds out by itself."""
    gateway = start(GLM_BREAKER_FAILURES="3", GLM_QUEUE_SECONDS="2")
    key = "demo-a,demo-b,dead-c"
    assert ask(gateway, key).good
    upstream.configure(down=True)
    answers = [ask(gateway, key)]
    while answers[-1].code != "upstream_busy":
        assert len(answers) < 20
        answers.append(ask(gateway, key))
    assert {answer.status for answer in answers} <= {502, 503, 429}
    quick = [ask(gateway, key) for _ in range(5)]
    assert {answer.status for answer in quick} <= {502, 503}
    assert sorted(answer.seconds for answer in quick)[2] < 1
    assert all(answer.retry_after > 0 for answer in quick if answer.status == 503)
    upstream.configure(down=False)
    eventually(lambda: ask(gateway, key).good, 30)
    assert ask(gateway, key).good


def test_while_the_breaker_is_open_the_upstream_is_hardly_asked(
    start: StartGateway, upstream: UpstreamEmulator
) -> None:
    gateway = start(GLM_BREAKER_FAILURES="2", GLM_QUEUE_SECONDS="1")
    upstream.account("a", next=["http500"] * 1000)
    eventually(lambda: ask(gateway, "demo-a").code == "upstream_busy", 20)
    before = upstream.state()["requests"][STREAM_PATH]
    answers = [ask(gateway, "demo-a") for _ in range(100)]
    assert {answer.status for answer in answers} <= {502, 503}
    # Once after a second, two, four, ...: so often in all the time that a test has on a slow machine.
    assert upstream.state()["requests"][STREAM_PATH] - before <= 6


def test_the_queue_is_bounded(start: StartGateway, upstream: UpstreamEmulator) -> None:
    """Beyond its length a caller is refused at once; other callers still may wait."""
    gateway = start(GLM_QUEUE_LENGTH="3")
    busy = open_chat(gateway.url, "demo-a,demo-b", "[[chunks n=5000 pace=20]]", stream=True)
    other = open_chat(gateway.url, "demo-b,demo-a", "[[chunks n=5000 pace=20]]", stream=True)
    upstream.wait_until(lambda state: state["open_streams"] == 2)
    with ThreadPoolExecutor(7) as threads:
        asked = [threads.submit(ask, gateway, "demo-a,demo-b") for _ in range(6)]
        eventually(lambda: sum(answer.done() for answer in asked) == 3)
        refused = [answer.result() for answer in asked if answer.done()]
        another = threads.submit(ask, gateway, "demo-a")
        busy.close()
        other.close()
        assert all(answer.result().good for answer in [another, *asked] if answer.result() not in refused)
    assert {(answer.status, answer.code) for answer in refused} == {(429, "accounts_busy")}
    assert all(answer.retry_after > 0 and answer.seconds < 8 for answer in refused)


def test_who_leaves_the_queue_is_not_asked_for(
    gateway: GatewayProcess, upstream: UpstreamEmulator, tokens: list[str]
) -> None:
    busy = open_chat(gateway.url, tokens[0], "[[chunks n=5000 pace=20]]", stream=True)
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    waiting = [open_chat(gateway.url, tokens[0], "never", stream=stream) for stream in (True, False) * 10]
    with ThreadPoolExecutor(1) as threads:
        last = threads.submit(ask, gateway, tokens[0])
        gone = gateway.log().count("client gone")
        for one in waiting:
            one.close()
        eventually(lambda: gateway.log().count("client gone") >= gone + len(waiting))
        busy.close()
        assert last.result().good
    assert upstream.state()["requests"][STREAM_PATH] == 2


def test_pacing(start: StartGateway) -> None:
    gateway = start(GLM_ACCOUNT_MIN_INTERVAL_SECONDS="0.5", GLM_ACCOUNT_REPLIES_PER_HOUR="4")
    begun = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: ask(gateway, "demo-a"), range(4)))
    assert all(answer.good for answer in answers)
    assert 1.5 <= time.monotonic() - begun < 8
    answer = ask(gateway, "demo-a")
    assert (answer.status, answer.code) == (429, "accounts_busy")
    assert 3500 < answer.retry_after <= 3600


def test_the_last_account_of_a_list_is_found(
    gateway: GatewayProcess, upstream: UpstreamEmulator, tokens: list[str]
) -> None:
    """Each other one fails in its own way, and is asked once."""
    for token, trouble in zip(tokens, ("http500", "busy429", "html502", "empty"), strict=False):
        upstream.account(token.removeprefix("demo-"), next=[trouble] * 3)
    assert ask(gateway, ",".join(tokens)).good
    assert upstream.state()["requests"][STREAM_PATH] <= 6  # silence is asked about once more
