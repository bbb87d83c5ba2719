"""How answers end: filtered, busy, failed, cut, reset, stalled, or in an order of their own (4.7 - 4.9)."""

from __future__ import annotations

import time

import pytest

from tests.upstream_emulator.client import STREAM, Client, chat_body, items, parse_frames, statuses
from upstream_emulator.content import FILTERED, GREETING
from upstream_emulator.emulator import UpstreamEmulator

HELLO = "".join(GREETING)


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
    assert (between.is_whole, len(between.frames)) == (False, 3)
    inside = client.chat("[[cut inside=1 at=1]]")
    assert not inside.is_whole
    assert len(inside.pieces) == 2
    assert not inside.body.endswith(b"\n\n")
    assert client.chat("[[cut at=0]]").body == b""


def test_a_cut_is_no_early_stop(client: Client, upstream: UpstreamEmulator) -> None:
    client.chat("[[cut]]")
    state = upstream.state()
    assert (state["stopped_early"], state["open_streams"]) == (0, 0)


def test_a_reset_comes_after_some_events(client: Client, upstream: UpstreamEmulator) -> None:
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
    assert reply.is_whole
    assert set(statuses(reply)) == {"init"}
    assert len(client.chat("[[noend at=0]]").frames) == 1


def test_a_stall_can_pass(client: Client) -> None:
    begun = time.monotonic()
    assert client.chat("[[stall seconds=0.05]]").text == HELLO
    assert time.monotonic() - begun >= 0.05


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
