"""Several accounts behind one caller: rotation, one answer at a time, tokens that die."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from openai import AuthenticationError, OpenAI, RateLimitError

from demo.gateway import GatewayProcess
from tests.live.asking import ask
from tests.live.conftest import StartGateway, connect
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator


def answers(upstream: UpstreamEmulator) -> dict[str, int]:
    return {name: account["answers"] for name, account in upstream.state()["accounts"].items()}


def test_rotation_uses_every_account(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    tokens = [f"{account}{number}" for number in range(3)]
    with connect(gateway, ",".join(tokens)) as client:
        for _ in range(6):
            ask(client, "[[text]]", stream=False)
    assert sorted(answers(upstream).values()) == [2, 2, 2]


def test_one_answer_at_a_time(gateway: GatewayProcess, upstream: UpstreamEmulator, account: str) -> None:
    """Ten at once over two accounts: all are answered, in turn. The fixture counts violations."""
    with connect(gateway, f"{account}-a,{account}-b") as client, ThreadPoolExecutor(10) as threads:
        heard = list(threads.map(lambda _: ask(client, "[[chunks n=10 pace=10]]", stream=True), range(10)))
    assert [answer.finish for answer in heard] == ["stop"] * 10
    assert sorted(answers(upstream).values()) == [5, 5]


def test_two_tokens_of_one_login(gateway: GatewayProcess, upstream: UpstreamEmulator, account: str) -> None:
    with connect(gateway, f"{account}.one,{account}.two") as client, ThreadPoolExecutor(6) as threads:
        heard = list(threads.map(lambda _: ask(client, "[[chunks n=10 pace=10]]", stream=True), range(6)))
    assert [answer.finish for answer in heard] == ["stop"] * 6


def test_the_queue_time_is_bounded(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    gateway = start_gateway(GLM_QUEUE_SECONDS="0.3")
    busy = open_chat(gateway.url, account, "[[chunks n=5000 pace=20]]", stream=True)
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    with connect(gateway, account) as client, pytest.raises(RateLimitError) as raised:
        ask(client, "你好", stream=False)
    assert raised.value.code == "accounts_busy", raised.value
    assert int(raised.value.response.headers["Retry-After"]) > 0
    busy.close()


def test_a_dead_token_says_so(gateway: GatewayProcess, account: str) -> None:
    for _ in range(2):  # asked for, and remembered
        dead = account.replace("demo-", "dead-")
        with connect(gateway, dead) as client, pytest.raises(AuthenticationError) as raised:
            ask(client, "你好", stream=False)
        assert raised.value.code == "account_expired"


def test_a_dead_token_among_others_is_passed_by(gateway: GatewayProcess, account: str) -> None:
    dead = account.replace("demo-", "dead-")
    with connect(gateway, f"{dead},{account},bad") as client:
        for stream in (True, False, True, False):
            assert ask(client, "你好", stream=stream).finish == "stop"


def test_an_access_token_that_dies_is_renewed_once(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    name = account.removeprefix("demo-")
    with connect(gateway, account) as client:
        ask(client, "你好", stream=False)
        upstream.account(name, expire_access=True)
        assert ask(client, "你好", stream=True).finish == "stop"
    assert upstream.state()["accounts"][name]["refreshes"] == 2


def test_a_refresh_is_shared(gateway: GatewayProcess, upstream: UpstreamEmulator, account: str) -> None:
    upstream.configure(refresh_delay_seconds=0.3)
    with connect(gateway, account) as client, ThreadPoolExecutor(4) as threads:
        heard = list(threads.map(lambda _: ask(client, "[[text]]", stream=False), range(4)))
    assert [answer.finish for answer in heard] == ["stop"] * 4
    state = upstream.state()["accounts"][account.removeprefix("demo-")]
    assert (state["refreshes"], state["parallel_refreshes"]) == (1, 0)


@pytest.mark.parametrize("era", ["2024", "2026"])
def test_both_eras(start_gateway: StartGateway, upstream: UpstreamEmulator, account: str, era: str) -> None:
    upstream.configure(era=era)
    gateway = start_gateway(GLM_CONVERSATION_TTL="0")
    with connect(gateway, account) as client:
        assert ask(client, "你好", stream=True).finish == "stop"
    upstream.wait_until(lambda state: state["conversations"] != [] and state["undeleted"] == 0)


def test_a_conversation_is_kept_for_its_time(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    gateway = start_gateway(GLM_CONVERSATION_TTL="4")
    with connect(gateway, account) as client:
        heard = ask(client, "你好", stream=False)
        assert upstream.state()["undeleted"] == 1
        again = ask(client, "你好", stream=False, extra_body={"conversation_id": next(iter(heard.ids))})
        assert again.ids == heard.ids
        upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_a_merged_conversation_that_cannot_go_on_goes_at_once(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    messages: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "你好"}]
    tools: Any = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}]
    with connect(gateway, account) as client:
        client.chat.completions.create(model="glm", messages=messages, tools=tools)
    upstream.wait_until(lambda state: state["conversations"] != [] and state["undeleted"] == 0)


def test_points_and_standing_are_asked_when_somebody_looks(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    """Protocol notes 0.2 row 20: hundredths; and no reward is fetched."""
    upstream.account(account.removeprefix("demo-"), is_barred=True)
    headers = {"Authorization": f"Bearer {account}"}

    def look() -> Any:
        return requests.get(f"{gateway.url}/v1/accounts", headers=headers, timeout=10).json()["data"][0]

    assert "points" not in look(), "nothing is asked of an account that has not answered yet"
    ask(client, "hi", stream=False)
    for _ in range(3):
        described = look()
    assert (described["points"], described["is_blocked"]) == (20.0, True)
    assert upstream.state()["requests"]["/chatglm/user-api/user/info"] == 1
