"""Every scenario does what its name says, over the socket (protocol notes 4.6 - 4.9)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from demo.content import FILTERED, GREETING, THOUGHT
from demo.fault import FAULTS, SILENT_FAULTS
from demo.scenario import SCENARIOS
from demo.upstream import DemoUpstream
from tests.demo.client import STREAM, Client, Reply, chat_body, fold, parse_frames

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


def items(reply: Reply) -> list[dict[str, Any]]:
    return [part["content"][0] for frame in reply.frames for part in frame.get("parts") or []]


def types(reply: Reply) -> list[str]:
    """The content types in order of appearance, each once in a row."""
    found = [item["type"] for item in items(reply)]
    return [kind for number, kind in enumerate(found) if not number or found[number - 1] != kind]


def statuses(reply: Reply) -> list[str]:
    return [frame.get("status", "") for frame in reply.frames]


def test_everything_promised_is_there() -> None:
    assert set(PROMISED.split()) <= set(SCENARIOS) | set(FAULTS) | set(SILENT_FAULTS)


@pytest.mark.parametrize("style", ["snapshot", "delta", "mixed"])
@pytest.mark.parametrize("name", ENDS_WELL)
def test_good_answers_end_well_in_every_style(client: Client, name: str, style: str) -> None:
    reply = client.chat(f"[[{name} style={style}]]")
    assert (reply.status, reply.complete) == (200, True)
    assert "finish" in statuses(reply)
    assert "init" not in statuses(reply)[statuses(reply).index("finish") + 1 :]


@pytest.mark.parametrize("style", ["snapshot", "delta", "mixed"])
@pytest.mark.parametrize("name", ["utf8split", "bytes", "crlf", "comments", "bom", "duplicate", "think"])
def test_odd_bytes_say_the_same(client: Client, name: str, style: str) -> None:
    folded = fold(client.chat(f"[[{name} style={style}]]").frames)
    assert (folded["think"], folded["text"]) == ("".join(THOUGHT), HELLO)


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


@pytest.mark.parametrize(("keys", "begun"), [("", True), ("at=0", False), ("part=1", True)])
def test_the_content_filter(client: Client, keys: str, begun: bool) -> None:
    reply = client.chat(f"[[filter {keys}]]")
    assert statuses(reply)[-1] == "intervene"
    assert (len(reply.frames) > 2) is begun
    last = reply.frames[-1]
    trouble = last["parts"][0]["error"] if "part" in keys else last["last_error"]
    assert trouble["intervene_text"] == FILTERED


@pytest.mark.parametrize(("keys", "frames"), [("", 2), ("at=1", 4)])
def test_busy_is_told_by_a_frame_without_ids(client: Client, keys: str, frames: int) -> None:
    reply = client.chat(f"[[busy {keys}]]")
    assert len(reply.frames) == frames
    assert reply.frames[-1] == {
        "status": "init",
        "parts": [],
        "last_error": {"code": "1301", "message": "当前访问人数过多，请稍后重试"},
    }


def test_error_frames(client: Client) -> None:
    error = client.chat("[[error-frame]]").frames[-1]
    assert (error["status"], error["error"]["error_code"]) == ("error", 10024)
    assert len(client.chat("[[error-frame at=0]]").frames) == 2
    assert client.chat("[[error-frame kind=code]]").frames[-1]["code"] == 40102


def test_a_part_in_error_is_followed_by_the_answer(client: Client) -> None:
    reply = client.chat("[[part-error]]")
    assert "error" in [part["status"] for frame in reply.frames for part in frame["parts"]]
    assert reply.text == HELLO


def test_a_cut_comes_between_or_inside_events(client: Client) -> None:
    between = client.chat("[[cut]]")
    assert (between.complete, len(between.frames)) == (False, 3)
    inside = client.chat("[[cut inside=1 at=1]]")
    assert not inside.complete
    assert len(inside.pieces) == 2
    assert not inside.body.endswith(b"\n\n")
    assert client.chat("[[cut at=0]]").body == b""


def test_a_cut_is_no_early_stop(client: Client, upstream: DemoUpstream) -> None:
    client.chat("[[cut]]")
    state = upstream.state()
    assert (state["stopped_early"], state["open_streams"]) == (0, 0)


def test_a_reset_comes_after_some_events(client: Client, upstream: DemoUpstream) -> None:
    client.send("POST", STREAM, chat_body("[[reset at=2]]"))
    reply = client.read_head()
    pieces = client.read_pieces(reply)
    assert [len(parse_frames(next(pieces))) for _ in range(2)] == [1, 1]
    with pytest.raises(ConnectionResetError):
        next(pieces)
    client.close()
    assert upstream.state()["open_streams"] == 0


def test_no_end(client: Client) -> None:
    reply = client.chat("[[noend]]")
    assert reply.complete
    assert set(statuses(reply)) == {"init"}
    assert len(client.chat("[[noend at=0]]").frames) == 1


def test_a_stall_can_pass(client: Client) -> None:
    begun = time.monotonic()
    assert client.chat("[[stall seconds=0.05]]").text == HELLO
    assert time.monotonic() - begun >= 0.05


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


def test_a_final_snapshot_that_differs(client: Client) -> None:
    reply = client.chat("[[final-differs]]")
    streamed = "".join(item["text"] for item in items(reply)[:4])
    assert streamed == "今天天气很好，适合出门。"
    assert reply.text == "今天天气不错。"


def test_parts_that_never_finish(client: Client) -> None:
    reply = client.chat("[[no-part-finish]]")
    assert {part["status"] for frame in reply.frames for part in frame["parts"]} == {"init"}
    assert statuses(reply)[-1] == "finish"
    assert reply.text == HELLO


def test_a_finish_without_parts(client: Client) -> None:
    assert client.chat("[[finish-without-parts]]").frames[-1]["parts"] == []
    assert "parts" not in client.chat("[[finish-without-parts parts=none]]").frames[-1]
    never = client.chat("[[finish-without-parts open=1]]")
    assert {part["status"] for frame in never.frames for part in frame["parts"]} == {"init"}


def test_late_frames(client: Client) -> None:
    assert statuses(client.chat("[[late]]"))[-3:] == ["init", "finish", "finish"]
    assert client.chat("[[late done=1]]").body.endswith(b"data: [DONE]\n\n")


def test_strangers(client: Client) -> None:
    reply = client.chat("[[unknown]]")
    assert types(reply) == ["browser_result", "system_error", "hologram", "text"]
    assert reply.body.startswith(b"event:heartbeat\n")
    assert "novel" in reply.frames[1]
    assert reply.frames[-1] == {"novel": True}
    assert reply.text == HELLO


def test_characters_are_split_between_http_chunks(client: Client) -> None:
    broken = 0
    for piece in client.chat("[[utf8split]]").pieces:
        try:
            piece.decode()
        except UnicodeDecodeError:
            broken += 1
    assert broken > 4


def test_one_byte_at_a_time(client: Client) -> None:
    assert {len(piece) for piece in client.chat("[[bytes]]").pieces} == {1}


def test_line_ends(client: Client) -> None:
    crlf = client.chat("[[crlf]]")
    assert crlf.body.count(b"\r\n") == crlf.body.count(b"\n") > 10
    assert crlf.pieces[0].endswith(b"\r")
    assert crlf.pieces[1] == b"\n"
    assert b"\n" not in client.chat("[[crlf end=cr]]").body


def test_comments_and_a_byte_order_mark(client: Client) -> None:
    body = client.chat("[[comments]]").body
    assert body.startswith(b": welcome\n\n")
    assert b"\n: inside\nid: 0\nretry: 1000\ndata: {" in body
    assert client.chat("[[bom]]").pieces[0] == b"\xef\xbb\xbf"


def test_duplicates(client: Client) -> None:
    snapshots = client.chat("[[duplicate style=snapshot]]").frames
    assert snapshots[0::2] == snapshots[1::2]
    deltas = client.chat("[[duplicate]]").frames
    growing = [frame for frame in deltas if frame["parts"] and frame["parts"][0]["status"] == "init"]
    assert len(growing) == len(THOUGHT) + len(GREETING)
    everything = client.chat("[[duplicate all=1]]").frames
    assert everything[0::2] == everything[1::2]


def test_a_big_line(client: Client) -> None:
    reply = client.chat("[[bigline]]")
    lines = reply.body.split(b"\n")
    assert 2_000_000 <= max(map(len, lines)) < 2_001_000
    assert len(reply.text.encode()) == 1_999_998
    assert len(client.chat("[[bigline size=3000]]").text) == 1000


@pytest.mark.parametrize("keys", ["slowstart delay=60", "text delay=60", "text head=60"])
def test_a_slow_start(client: Client, keys: str) -> None:
    begun = time.monotonic()
    client.send("POST", STREAM, chat_body(f"[[{keys}]]"))
    reply = client.read_head()
    waited_for_head = time.monotonic() - begun
    reply.pieces = list(client.read_pieces(reply))
    assert time.monotonic() - begun >= 0.06
    assert (waited_for_head >= 0.06) is ("head" in keys)
    assert reply.text == HELLO


def test_the_pace_is_kept(client: Client) -> None:
    begun = time.monotonic()
    count = len(client.chat("[[text pace=5]]").frames)
    assert time.monotonic() - begun >= 0.005 * (count - 1)
