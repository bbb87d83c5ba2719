"""An answer that was cut goes on, or is cut as it was: by the product, before and after the commit point."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from openai import APIError, APIStatusError, OpenAI

from demo.gateway import GatewayProcess
from tests.live.asking import Heard, ask, note
from tests.live.conftest import METRICS_KEY, StartGateway, connect
from upstream_emulator.emulator import UpstreamEmulator

SAY = "布罗肯山是哈茨山的最高峰，在德国中部，山顶光秃，海拔一千一百四十一米，常年多雾，山顶有气象站。"
THOUGHT = "先想一想，这个问题该从哪里说起才清楚：先说山在哪里，再说它有多高，最后说天气如何。"
CONTINUE = "/chatglm/mainchat-api/stream/continue_stream"


def count_healings(gateway: GatewayProcess) -> dict[str, float]:
    headers = {"Authorization": f"Bearer {METRICS_KEY}"}
    lines = requests.get(f"{gateway.url}/metrics", headers=headers, timeout=10).text.splitlines()
    return {
        line.split('"')[1]: float(line.split()[1]) for line in lines if line.startswith("glm_healings_total{")
    }


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "heal", ["cut repeat", "cut rest", "cut repeat ids=new", "cut rest ids=new", "reset repeat"]
)
@pytest.mark.parametrize("style", ["snapshot", "snapshot dialect=2026", "delta", "delta flag=0"])
def test_a_cut_answer_goes_on(
    gateway: GatewayProcess,
    client: OpenAI,
    upstream: UpstreamEmulator,
    style: str,
    heal: str,
    *,
    stream: bool,
) -> None:
    before = count_healings(gateway)
    kind, _, behaviour = heal.partition(" ")
    # A reset takes what was on its way: a pause lets it arrive.
    question = f"[[{kind} at=24 think=1 heal={behaviour} style={style} say={SAY} thought={THOUGHT} pace=5]]"
    heard = ask(client, question, stream=stream)
    assert (heard.text, heard.reasoning, heard.finish) == (SAY, THOUGHT, "stop")
    state = upstream.state()
    assert state["requests"][CONTINUE] == 1
    assert state["undeleted"] == 1
    after = count_healings(gateway)
    assert (after["healed"], after["failed"]) == (before["healed"] + 1, before["failed"])


def test_before_the_commit_point_the_same_account_goes_on(client: OpenAI, upstream: UpstreamEmulator) -> None:
    heard = ask(client, f"[[cut at=1 heal=rest say={SAY}]]", stream=True)
    assert heard.text == SAY
    assert sum(upstream.state()["requests"].get(path, 0) for path in (CONTINUE,)) == 1
    (account,) = upstream.state()["accounts"].values()
    assert account["answers"] == 2


UNHEALED = {
    "something was lost": "[[cut at=6 inside=1 heal=rest ids=new say={say}]]",
    "nobody goes on": "[[cut at=6 say={say}]]",
    "the rest is cut too": "[[cut at=6 heal=rest again=2 say={say}]]",
    "nobody can tell": "[[cut at=3 heal=repeat ids=new say=哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈哈]]",
}


@pytest.mark.parametrize("question", UNHEALED.values(), ids=UNHEALED)
def test_what_cannot_go_on_stays_cut(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, question: str
) -> None:
    before = count_healings(gateway)
    heard = Heard()
    made: Any = client.chat.completions.create(
        model="glm", messages=[{"role": "user", "content": question.format(say=SAY)}], stream=True
    )
    with pytest.raises(APIError) as raised:  # noqa: PT012 - what was heard before counts
        for chunk in made:
            note(heard, chunk)
    assert raised.value.code == "answer_cut"
    assert heard.finish is None
    assert upstream.state()["requests"][CONTINUE] == 1
    assert count_healings(gateway)["failed"] == before["failed"] + 1


def test_a_whole_answer_that_stays_cut_is_an_error(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask(client, f"[[cut at=6 say={SAY}]]", stream=False)
    assert (raised.value.status_code, raised.value.code) == (502, "answer_cut")


def test_nothing_goes_on_where_that_is_off(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    with connect(start_gateway(GLM_HEAL="off"), account) as client, pytest.raises(APIError) as raised:
        ask(client, f"[[cut at=6 heal=rest say={SAY}]]", stream=True)
    assert raised.value.code == "answer_cut"
    assert CONTINUE not in upstream.state()["requests"]


def test_nothing_goes_on_where_a_call_may_be_open(client: OpenAI, upstream: UpstreamEmulator) -> None:
    tools: Any = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}]
    with pytest.raises(APIError) as raised:
        ask(client, f"[[cut at=6 heal=rest say={SAY}]]", stream=True, tools=tools)
    assert raised.value.code == "answer_cut"
    assert CONTINUE not in upstream.state()["requests"]


STORED = "/chatglm/mainchat-api/conversation/messages"


@pytest.mark.parametrize("kind", ["cut", "cut inside=1", "reset"])
@pytest.mark.parametrize("style", ["snapshot", "snapshot dialect=2026", "delta", "delta flag=0"])
@pytest.mark.parametrize("heal", ["", "heal=rest again=1", "heal=repeat again=4 ids=new"])
def test_a_whole_answer_comes_from_what_is_stored(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, kind: str, style: str, heal: str
) -> None:
    """Where going on fails: nobody goes on, or it is cut once more (protocol notes 0.2 row 6)."""
    before = count_healings(gateway)
    question = (
        f"[[{kind} at=24 think=1 {heal} stored=whole style={style} say={SAY} thought={THOUGHT} pace=5]]"
    )
    heard = ask(client, question, stream=False)
    assert (heard.text, heard.reasoning, heard.finish) == (SAY, THOUGHT, "stop")
    asked = upstream.state()["requests"]
    assert (asked[CONTINUE], asked[STORED]) == (1, 1)
    after = count_healings(gateway)
    assert (after["healed"], after["failed"]) == (before["healed"] + 1, before["failed"])


@pytest.mark.parametrize("stored", ["other", "unfinished", "nothing"])
def test_what_is_stored_otherwise_leaves_it_cut(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, stored: str
) -> None:
    before = count_healings(gateway)
    with pytest.raises(APIStatusError) as raised:
        ask(client, f"[[cut at=6 stored={stored} say={SAY} pace=5]]", stream=False)
    assert (raised.value.status_code, raised.value.code) == (502, "answer_cut")
    assert upstream.state()["requests"][STORED] == 1
    assert count_healings(gateway)["failed"] == before["failed"] + 1


def test_a_stream_goes_on_or_is_cut(client: OpenAI, upstream: UpstreamEmulator) -> None:
    """What its client has heard is the beginning of an answer that would come all at once."""
    with pytest.raises(APIError) as raised:
        ask(client, f"[[cut at=6 stored=whole say={SAY} pace=5]]", stream=True)
    assert raised.value.code == "answer_cut"
    assert STORED not in upstream.state()["requests"]


def test_nothing_is_read_where_that_is_off_or_a_call_may_be_open(
    start_gateway: StartGateway, client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    question = f"[[cut at=6 stored=whole say={SAY} pace=5]]"
    tools: Any = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}]
    with pytest.raises(APIError):
        ask(client, question, stream=False, tools=tools)
    with pytest.raises(APIError):
        ask(client, question, stream=False, response_format={"type": "json_object"})
    with connect(start_gateway(GLM_HEAL="off"), f"{account}-off") as other, pytest.raises(APIError):
        ask(other, question, stream=False)
    assert STORED not in upstream.state()["requests"]
