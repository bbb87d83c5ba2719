"""Frames: read quickly where they are as known, and as far as possible where they are not."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from app.core.errors import UpstreamInvalid
from app.upstream import unknown_content
from app.upstream.frames import ContentItem, Frame, FrameMeta, Part, parse_frame


@pytest.fixture(autouse=True)
def nothing_seen_yet() -> Iterator[None]:
    unknown_content.unknown_contents.clear()
    yield
    unknown_content.unknown_contents.clear()


def read(document: Any) -> Frame:
    return parse_frame(json.dumps(document).encode())


def test_a_known_frame() -> None:
    frame = read(
        {
            "id": "x",
            "conversation_id": "c",
            "status": "init",
            "last_error": {},
            "meta_data": {"if_increase_push": True, "other": 1},
            "parts": [
                {
                    "logic_id": "l",
                    "status": "init",
                    "role": "assistant",
                    "content": [{"type": "think", "think": "hm", "status": "init"}],
                }
            ],
        }
    )
    part = Part("l", "init", [ContentItem("think", think="hm", status="init")], role="assistant")
    assert frame == Frame("x", "c", "init", [part], FrameMeta(if_increase_push=True), {})
    assert not unknown_content.unknown_contents


@pytest.mark.parametrize("data", [b"", b"not json", b'{"a":', b"[1]", b'"x"', b"1", b"null", b"[" * 100_000])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        parse_frame(data)


def test_nesting_within_an_unused_field_is_refused_or_read_but_never_crashes() -> None:
    deep = b'{"status":"init","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    try:
        assert parse_frame(deep).status == "init"
    except UpstreamInvalid:
        pass


FITTING: list[tuple[dict[str, Any], Frame]] = [
    ({"status": 5, "parts": []}, Frame(parts=[])),
    ({"status": 40103, "message": "no"}, Frame(code=40103, message="no")),
    ({"conversation_id": 7, "status": "init"}, Frame(status="init")),
    ({"meta_data": [], "status": "init"}, Frame(status="init")),
    ({"meta_data": {"if_increase_push": "yes"}, "status": "x"}, Frame(status="x", meta_data=FrameMeta())),
    ({"parts": {"logic_id": "l"}}, Frame(parts=[Part("l", content=[])])),
    ({"parts": ["text", None, {"logic_id": 3}]}, Frame(parts=[Part(content=[])])),
    (
        {"parts": [{"content": {"type": "text", "text": "a"}}]},
        Frame(parts=[Part(content=[ContentItem("text", "a")])]),
    ),
    (
        {"parts": [{"content": [{"type": "text", "text": 4}, {"type": "text", "text": "b"}, "c"]}]},
        Frame(parts=[Part(content=[ContentItem("text"), ContentItem("text", "b")])]),
    ),
]


@pytest.mark.parametrize(("document", "expected"), FITTING)
def test_what_fits_is_kept(document: dict[str, Any], expected: Frame) -> None:
    assert read(document) == expected


def test_halves_of_surrogates_are_kept_for_their_other_half() -> None:
    frame = parse_frame(rb'{"parts":[{"content":[{"type":"text","text":"a\ud83d"}]}]}')
    assert frame.parts is not None
    assert frame.parts[0].content == [ContentItem("text", "a\ud83d")]


def test_bytes_that_are_no_utf8_become_replacement_characters() -> None:
    frame = parse_frame(b'{"status":"a\xff","parts":[{"content":[{"type":"text","text":"\xe4\xbd"}]}]}')
    assert frame.parts is not None
    assert frame.parts[0].content == [ContentItem("text", "�")]


def test_what_is_new_is_logged_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        read({"conversation_id": 7})
    assert unknown_content.unknown_contents == {("shape of the field", "Frame.conversation_id"): 3}
    assert len(caplog.records) == 1


def test_novelties_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    for number in range(1000):
        unknown_content.note_unknown_content("content type", f"{number} " + "x" * 1000)
    assert len(unknown_content.unknown_contents) == len(caplog.records) == 101
    assert unknown_content.unknown_contents["content type", "others"] == 900
    assert all(len(name) <= 40 for _, name in unknown_content.unknown_contents)
