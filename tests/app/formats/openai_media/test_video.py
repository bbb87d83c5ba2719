"""Video requests: what may stand in them, and what goes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from app.core.errors import InvalidRequest
from app.core.request import Video
from app.formats.openai_media.video import encode_progress, encode_result, parse_video_request

DONE = Video("v", True, "https://x/v.mp4", "https://x/v.jpg", "6s", "1440x960")
SHOWN = {
    "video_url": "https://x/v.mp4",
    "cover_url": "https://x/v.jpg",
    "video_duration": "6s",
    "resolution": "1440x960",
}


def parse(**fields: Any) -> Any:
    return parse_video_request(json.dumps({"prompt": "一只猫"} | fields).encode())


def test_everything_that_may_be_said() -> None:
    request = parse(
        model="cogvideox",
        image_url="https://x/y.png",
        video_style="油画",
        emotional_atmosphere="温馨和谐",
        mirror_mode="推近",
        audio_id="epic-669b809d3915c1ddbb3d6705",
        unknown="is no mistake",
    )
    assert (request.prompt, request.style, request.camera) == ("一只猫", "油画", "推近")
    assert not request.is_async
    assert parse(**{"async": True}).is_async


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n"}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "x" * 8001}, "prompt"),
        ({"model": 5}, "model"),
        ({"model": "x" * 257}, "model"),
        ({"image_url": {"url": "https://x/y.png"}}, "image_url"),
        ({"video_style": "cartoon"}, "video_style"),
        ({"emotional_atmosphere": "x"}, "emotional_atmosphere"),
        ({"mirror_mode": 1}, "mirror_mode"),
        ({"mirror_mode": ["水平"]}, "mirror_mode"),
        ({"audio_id": "epic"}, "audio_id"),
        ({"audio_id": "epic-1\n"}, "audio_id"),
        ({"audio_id": "a/b-1"}, "audio_id"),
        ({"audio_id": "epic-1", "async": True}, "audio_id"),
        ({"async": "yes"}, "async"),
        ({"async": 2}, "async"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(**fields)
    assert raised.value.param == param


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_request(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_video_request(body)


def test_the_prompt_is_required() -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_video_request(b"{}")
    assert raised.value.param == "prompt"


def test_who_waited_gets_the_video() -> None:
    assert json.loads(encode_result(DONE, created=7)) == {"created": 7, "data": [SHOWN]}


def test_who_asks_later_hears_how_far_it_is() -> None:
    head = {"id": "v", "object": "video", "created": 7}
    assert json.loads(encode_progress(DONE, created=7)) == head | {"status": "completed", "data": [SHOWN]}
    at_work = json.loads(encode_progress(Video("v"), created=7))
    assert at_work == head | {"status": "processing", "data": []}


def test_how_long_it_has_been_waited_for_and_when_it_is_gone() -> None:
    at_work = json.loads(encode_progress(Video("v", ordered_at=3.4, expires_at=1200.4), created=60))
    assert (at_work["elapsed_seconds"], at_work["expires_at"]) == (57, 1200)
    done = json.loads(encode_progress(replace(DONE, ordered_at=3.4, expires_at=1200.4), created=60))
    assert ("elapsed_seconds" in done, done["expires_at"]) == (False, 1200)
    # A clock that was set back in between.
    assert json.loads(encode_progress(Video("v", ordered_at=9.0), created=7))["elapsed_seconds"] == 0
