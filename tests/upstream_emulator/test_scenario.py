"""Every scenario says what its name promises, over the socket (protocol notes 4.6)."""

from __future__ import annotations

import json

import pytest

from tests.upstream_emulator.client import Client, fold, items, statuses, types
from upstream_emulator.content import GREETING
from upstream_emulator.fault import FAULTS, SILENT_FAULTS
from upstream_emulator.scenario import SCENARIOS

HELLO = "".join(GREETING)
PROMISED = (
    "text think search search-e1 code draw draw-e1 filter busy error-frame cut noend stall empty json200 "
    "validation html502 waf200 throttled429 busy429 busy200 http500 utf8split bytes crlf comments bom "
    "unknown repeat alternate final-differs no-part-finish finish-without-parts duplicate reset bigline "
    "slowstart chunks replay"
)
ENDS_WELL = sorted(
    set(SCENARIOS)
    - {
        "",
        "bytes",
        "filter",
        "busy",
        "error-frame",
        "cut",
        "noend",
        "stall",
        "reset",
        "chunks",
        "bigline",
        "slowstart",
    }
)


def test_everything_promised_is_there() -> None:
    assert set(PROMISED.split()) <= set(SCENARIOS) | set(FAULTS) | set(SILENT_FAULTS)


@pytest.mark.parametrize("style", ["snapshot", "delta", "mixed"])
@pytest.mark.parametrize("name", ENDS_WELL)
def test_good_answers_end_well_in_every_style(client: Client, name: str, style: str) -> None:
    reply = client.chat(f"[[{name} style={style}]]")
    assert (reply.status, reply.is_whole) == (200, True)
    assert "finish" in statuses(reply)
    assert "init" not in statuses(reply)[statuses(reply).index("finish") + 1 :]


def test_text_of_ones_own(client: Client) -> None:
    assert client.chat("[[text say=%E5%93%88%5D%5D]]").text == "哈]]"
    folded = fold(client.chat("[[think say=b thought=a]]").frames)
    assert folded == {"think": "a", "tool_calls": "", "text": "b"}


def test_thinking_of_2024(client: Client) -> None:
    assert types(client.chat("[[think style=snapshot kind=text_thinking]]")) == ["text_thinking", "text"]


def test_thinking_of_2026_is_closed_by_a_pseudo_call(client: Client) -> None:
    reply = client.chat("[[think]]")
    assert types(reply) == ["think", "tool_calls", "text"]
    call = next(item for item in items(reply) if item["type"] == "tool_calls")
    assert call["tool_calls"] == {"name": "finish", "arguments": "{}"}


def test_search_of_2026(client: Client) -> None:
    reply = client.chat("[[search]]")
    assert types(reply) == ["tool_calls", "tool_result", "text"]
    assert "【turn0search0】" in reply.text
    result = reply.frames[2]["parts"][0]
    assert json.loads(result["content"][0]["tool_calls"]["arguments"])["search_query"][0]["q"]
    assert result["meta_data"]["tool_result_extra"]["search_results"][0]["match_key"] == "turn0search0"


def test_search_of_2024(client: Client) -> None:
    reply = client.chat("[[search-e1]]")
    assert types(reply) == ["text", "quote_result", "text"]
    assert "【1†source】" in reply.text
    quoted = [part for frame in reply.frames for part in frame["parts"] if part["role"] == "tool"]
    assert [part["status"] for part in quoted] == ["init", "finish"]
    assert quoted[1]["meta_data"]["metadata_list"][0].keys() >= {"title", "url"}


def test_code(client: Client) -> None:
    reply = client.chat("[[code]]")
    assert types(reply) == ["code", "execution_output", "text"]
    code = [item["code"] for item in items(reply) if item["type"] == "code"]
    assert code == ["print(1", "print(1+1)", "print(1+1)"]
    outputs = [item["content"] for item in items(reply) if item["type"] == "execution_output"]
    assert outputs == ["\n2", "\n2"]


def test_drawing_of_2026(client: Client) -> None:
    reply = client.chat("[[draw]] 一只猫")
    assert types(reply) == ["text", "image", "one_to_more_finish"]
    urls = [item["image"][0]["image_url"] for item in items(reply) if item["type"] == "image"]
    assert [url.removesuffix("_0.jpg")[-2:] for url in urls] == ["_3", "_0", "_1", "_2"]
    assert reply.frames[-1]["meta_data"]["answer_type"] == "multi"
    assert statuses(reply) == ["init"] * 5 + ["finish"]
    assert [frame["parts"][0]["status"] for frame in reply.frames] == ["init"] * 5 + ["finish"]


def test_drawing_of_2024(client: Client) -> None:
    reply = client.chat("[[draw-e1]]")
    pictures = [item for item in items(reply) if item["type"] == "image"]
    assert [item["status"] for item in pictures] == ["init", "finish"]
    assert pictures[0]["image"][0]["image_url"] == ""
    assert pictures[1]["image"][0]["image_url"].startswith("https://sfile.chatglm.cn/testpath/")


def test_text_that_repeats_itself(client: Client) -> None:
    for style in ("snapshot", "delta", "mixed"):
        assert client.chat(f"[[repeat style={style}]]").text == "哈哈哈哈哈！哈哈哈哈哈！哈"


def test_parts_that_alternate(client: Client) -> None:
    reply = client.chat("[[alternate]]")
    assert types(reply) == ["think", "text", "think", "text"]
    assert reply.text == "第一步：打开门。第二步：走进去。"
    mixed = client.chat("[[alternate interleave=1]]")
    assert mixed.text == "左一，左二，左三。右一，右二，右三。"
    ids = [frame["parts"][0]["logic_id"] for frame in mixed.frames if frame["parts"]]
    assert ids[0] != ids[1] == ids[3]


def test_strangers(client: Client) -> None:
    reply = client.chat("[[unknown]]")
    assert types(reply) == ["browser_result", "system_error", "hologram", "text"]
    assert reply.body.startswith(b"event:heartbeat\n")
    assert "novel" in reply.frames[1]
    assert reply.frames[-1] == {"novel": True}
    assert reply.text == HELLO
