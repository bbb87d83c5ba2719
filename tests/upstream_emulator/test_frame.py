"""Frames in both dialects: an answer means the same in every manner, and looks as the notes show it."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest

from tests.upstream_emulator.client import Client, fold
from upstream_emulator.emulator import UpstreamEmulator
from upstream_emulator.frame import Envelope, Growing, Manner, build_frames, encode_event

STYLES = ("snapshot", "delta", "mixed")
MANNERS = [Manner(style, flag) for style in STYLES for flag in (0, 1, 2)]
MANNERS += [Manner("snapshot", flag, is_old=True) for flag in (0, 1, 2)]
BLOCKS = (Growing("think", ("想", "一想")), Growing("text", ("哈", "哈", "哈哈")))


def frames_in(manner: Manner) -> list[dict[str, Any]]:
    return list(build_frames(Envelope("M", "C", "A", manner), BLOCKS))


def texts(frames: list[dict[str, Any]], kind: str) -> list[tuple[str, str, str]]:
    """(text, part status, frame status) of every frame with a part of that kind."""
    return [
        (part["content"][0][kind], part["status"], frame["status"])
        for frame in frames
        for part in frame["parts"]
        if part["content"][0]["type"] == kind
    ]


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_every_manner_says_the_same(manner: Manner) -> None:
    assert fold(frames_in(manner)) == {"think": "想一想", "text": "哈哈哈哈"}


def test_snapshots_repeat_everything() -> None:
    frames = frames_in(Manner("snapshot", 0, is_old=True))
    assert texts(frames, "text") == [
        ("哈", "init", "init"),
        ("哈哈", "init", "init"),
        ("哈哈哈哈", "finish", "init"),
        ("哈哈哈哈", "finish", "finish"),
    ]
    assert frames[1]["parts"][0]["model"] == "chatglm-all-tools"
    assert frames[-1]["parts"][0]["content"][0]["status"] == "finish"
    assert all(frame["meta_data"] == {} and frame["last_error"] == {} for frame in frames)


def test_deltas_say_what_is_new_until_the_part_ends() -> None:
    assert texts(frames_in(Manner("delta", 1)), "text") == [
        ("哈", "init", "init"),
        ("哈", "init", "init"),
        ("哈哈", "init", "init"),
        ("哈哈哈哈", "finish", "init"),
        ("哈哈哈哈", "finish", "finish"),
    ]


def test_mixed_has_thoughts_as_snapshots_and_text_as_deltas() -> None:
    frames = frames_in(Manner("mixed", 1))
    assert [text for text, *_ in texts(frames, "think")] == ["想", "想一想"]
    assert [text for text, *_ in texts(frames, "text")][:3] == ["哈", "哈", "哈哈"]
    flags = [frame["meta_data"]["if_increase_push"] for frame in frames]
    assert flags == [True, False, False, True, True, True, True, False]


@pytest.mark.parametrize(
    ("flag", "shown"),
    [
        (1, [True, True, True, True, True, True, True, True, False]),
        (2, [True, True, True, False, True, True, True, False, False]),
    ],
)
def test_the_flag_of_deltas(flag: int, shown: list[bool]) -> None:
    frames = frames_in(Manner("delta", flag))
    assert [frame["meta_data"]["if_increase_push"] for frame in frames] == shown


def test_the_flag_of_snapshots_is_false() -> None:
    frames = frames_in(Manner("snapshot", 1))
    assert {frame["meta_data"]["if_increase_push"] for frame in frames} == {False}


def test_frames_of_september_2026_have_no_meta_data() -> None:
    for frame in frames_in(Manner("delta", 0)):
        assert "meta_data" not in frame
        assert frame["last_error"] is None


def test_items_of_2026() -> None:
    items = [frame["parts"][0]["content"][0] for frame in frames_in(Manner("delta", 1))[1:]]
    assert items[0] == {"type": "think", "think": "想", "tool_calls": {}}
    assert items[-1] == {"type": "text", "text": "哈哈哈哈", "tool_calls": {}}


def test_snapshots_of_2026_look_like_that_year(client: Client) -> None:
    frames = client.chat(
        "[[text style=snapshot dialect=2026 say=%E4%BD%A0%E5%A5%BD%E5%91%80%EF%BC%81]]"
    ).frames
    assert [text for text, *_ in texts(frames, "text")] == ["你好呀", "你好呀！", "你好呀！"]
    assert frames[1]["parts"][0]["content"][0] == {"type": "text", "text": "你好呀", "tool_calls": {}}
    assert {frame["meta_data"]["if_increase_push"] for frame in frames} == {False}


def test_one_logic_id_a_part() -> None:
    frames = frames_in(Manner("delta", 1))
    ids = [part["logic_id"] for frame in frames for part in frame["parts"]]
    assert len(set(ids)) == 2
    assert [len(list(group)) for _, group in itertools.groupby(ids)] == [3, 5]


def test_the_clock_is_a_plain_local_time() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", frames_in(MANNERS[0])[0]["created_at"])


def test_an_event_on_the_wire() -> None:
    assert encode_event({"text": "你\n好"}) == 'event:message\ndata: {"text":"你\\n好"}\n\n'.encode()
    assert json.loads(encode_event({"text": "\ud800"})[20:]) == {"text": "?"}


@pytest.mark.parametrize("style", ["snapshot", "delta", "mixed"])
@pytest.mark.parametrize("flag", [0, 1, 2])
def test_the_manner_can_be_asked_for(
    client: Client, upstream: UpstreamEmulator, style: str, flag: int
) -> None:
    frames = client.chat(f"[[repeat style={style} flag={flag}]]").frames
    assert fold(frames) == {"text": "哈哈哈哈哈！哈哈哈哈哈！哈"}
    pieces = [text for text, *_ in texts(frames, "text")]
    assert pieces[1] == ("哈哈" if style == "snapshot" else "哈")
    shown = {frame.get("meta_data", {}).get("if_increase_push") for frame in frames}
    assert shown == ({None} if not flag else {False} if style == "snapshot" else {True, False})
