"""/v1/models under real gunicorn: nobody waits for a slow upstream, and many who look ask once."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import requests
from openai import OpenAI

from app.core.model_name import MODELS
from demo.gateway import GatewayProcess
from tests.eventually import eventually
from tests.live.asking import ask
from upstream_emulator.account import Account
from upstream_emulator.emulator import UpstreamEmulator

FEED = "/chatglm/feed-api/assistant_top/v4/recent_list"
MODELS_PATH = "/chatglm/agent-api/operation/detail"
STREAM = "/chatglm/backend-api/assistant/stream"
FOREVER_SECONDS = 30


@pytest.fixture
def upstream(upstream: UpstreamEmulator) -> Iterator[UpstreamEmulator]:
    yield upstream
    upstream.configure(lists="", list_delay_seconds=0)


@pytest.fixture
def account() -> str:
    """Shorter than what the redactor takes for a piece of a token, as the assistant's name repeats it."""
    return f"demo-m{uuid.uuid4().hex[:4]}"


def list_ids(gateway: GatewayProcess, token: str) -> list[str]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{gateway.url}/v1/models", headers=headers, timeout=10)
    return [model["id"] for model in answer.json()["data"]]


def is_listed(name: str, gateway: GatewayProcess, token: str) -> bool:
    return name in list_ids(gateway, token)


def name_of(account: str) -> Account:
    return Account(account.removeprefix("demo-"))


def test_a_hundred_who_look_at_once_ask_once(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    """Each of two accounts, by callers of either and of both (protocol notes 10)."""
    for token in (account, f"{account}-b"):
        ask(client.with_options(api_key=token), "[[text]]", stream=False)
    upstream.configure(list_delay_seconds=0.3)
    callers = [account, f"{account}-b", f"{account},{account}-b"]
    with ThreadPoolExecutor(100) as threads:
        seen = list(threads.map(lambda number: list_ids(gateway, callers[number % 3]), range(100)))
    own = [name_of(token) for token in callers[:2]]
    names = {one.name for one in own}  # a list that an earlier test asked for may come late
    counted = Counter(sent["path"] for sent in upstream.requests() if sent["account"] in names)
    assert (counted[MODELS_PATH], counted[FEED]) == (2, 2)
    for number, ids in enumerate(seen):
        assert ids[: len(MODELS)] == list(MODELS)
        shown = [one.name for one in own if f"{one.assistant_name}-{one.assistant_id}" in ids]
        allowed = [[own[0].name], [own[1].name], [own[0].name, own[1].name]][number % 3]
        assert set(shown) <= set(allowed)
        assert len(shown) <= 1  # none where this machine was slower than two seconds
    for token, one in zip(callers, own, strict=False):
        listed = f"{one.assistant_name}-{one.assistant_id}"
        eventually(partial(is_listed, listed, gateway, token))
    assert upstream.state()["requests"][MODELS_PATH] == 2, "what is known is not asked again"


@pytest.mark.parametrize("lists", ["", "silence"])
def test_a_slow_upstream_holds_nobody_up(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, account: str, lists: str
) -> None:
    """Well within the client's ten seconds, and chats not at all: the account is as free as before."""
    ask(client, "[[text]]", stream=False)
    upstream.configure(lists=lists, list_delay_seconds=0 if lists else FOREVER_SECONDS)
    with ThreadPoolExecutor(20) as threads:
        seen = list(threads.map(lambda _: list_ids(gateway, account), range(20)))
        assert seen == [list(MODELS)] * 20
        asked = ask(client, "[[text]]", stream=True, model=name_of(account).assistant_name)
    assert asked.finish == "stop"
    assert upstream.state()["requests"][MODELS_PATH] == 1


def test_a_listed_name_is_asked(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    ask(client, "[[text]]", stream=False)
    own = name_of(account)
    listed = client.models.list().data[-1].id
    assert listed == f"{own.assistant_name}-{own.assistant_id}"
    assert client.models.retrieve(listed).id == listed
    upstream.configure(assistants="known")
    for model in (listed, own.assistant_name):
        heard = ask(client, "[[text]]", stream=True, model=model)
        assert (heard.finish, heard.models) == ("stop", {model})
    asked = [sent["body"]["assistant_id"] for sent in upstream.requests() if sent["path"] == STREAM]
    assert asked[1:] == [own.assistant_id] * 2
    assert "的助手" not in gateway.log()
