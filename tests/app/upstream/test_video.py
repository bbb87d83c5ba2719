"""The video API on the wire, and what its answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import GatewayError, NotFound, UpstreamError, UpstreamInvalid, VideoFailed
from app.logs import redactor
from app.upstream.video import VideoCalls, VideoOrder, VideoState, build_order, parse_state
from tests.app.upstream.connected import TOKEN, against
from tests.app.upstream.scripted import Play, answer

URL = "https://sfile.chatglm.cn/testpath/v.mp4"
GONE = answer(b'{"status":404,"message":"not found"}', status=b"404 Not Found")
PAGE = answer(b"<html>404</html>", status=b"404 Not Found", kind=b"text/html")


def succeed(result: Any) -> Play:
    return answer(json.dumps({"status": 0, "message": "success", "result": result}).encode())


def test_an_order_on_the_wire() -> None:
    with against([succeed({"chat_id": "v", "conversation_id": "c"})]) as (client, server):
        assert VideoCalls(client).start(TOKEN, VideoOrder("猫", "油画", source_ids=["s"])) == "v"
    (request,) = server.requests
    assert request.startswith(b"POST /chatglm/video-api/v1/chat HTTP/1.1\r\n")
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {
        "conversation_id": "",
        "prompt": "猫",
        "source_list": ["s"],
        "advanced_parameter_extra": {"emotional_atmosphere": "", "mirror_mode": "", "video_style": "油画"},
    }


def test_without_a_picture_there_is_no_list() -> None:
    assert "source_list" not in json.loads(build_order(VideoOrder("猫")))


@pytest.mark.parametrize("result", [None, [], {}, {"chat_id": ""}, {"chat_id": 5}])
def test_an_order_without_a_name_is_invalid(result: Any) -> None:
    with against([succeed(result)]) as (client, _), pytest.raises(UpstreamInvalid):
        VideoCalls(client).start(TOKEN, VideoOrder("猫"))


def test_music_on_the_wire() -> None:
    with against([succeed({"url": URL})]) as (client, server):
        assert VideoCalls(client).add_music(TOKEN, "v", "epic", "1") == URL
    assert server.requests[0].endswith(b'{"chat_id":"v","key":"epic","audio_id":"1"}')


def test_looking_on_the_wire() -> None:
    with against([succeed({"status": "processing"})]) as (client, server):
        assert VideoCalls(client).look(TOKEN, "v") == VideoState(is_finished=False)
    assert server.requests[0].startswith(b"GET /chatglm/video-api/v1/chat/status/v HTTP/1.1\r\n")


def test_a_finished_video() -> None:
    result = {"status": "finished", "video_url": URL, "video_duration": "6s", "resolution": 5}
    assert parse_state(result) == VideoState(is_finished=True, url=URL, duration="6s")


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"status": "failed", "msg": "内容不合适"}, "内容不合适"),
        ({"status": "finished", "video_url": ""}, "finished"),
        ({"status": "finished", "video_url": "processing"}, "finished"),
        ({"status": 7}, "nothing"),
        (None, "nothing"),
        ({"status": "failed", "msg": "x" * 10_000}, "x" * 200),
    ],
)
def test_everything_else_is_a_failure(result: Any, words: str) -> None:
    with pytest.raises(VideoFailed) as raised:
        parse_state(result)
    assert raised.value.message.endswith(f": {words}")


def test_a_deletion_on_the_wire() -> None:
    with against([succeed(None)]) as (client, server):
        VideoCalls(client).delete(TOKEN, "v")
    assert server.requests[0].startswith(b"DELETE /chatglm/video-api/v1/chat/v HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "refusal",
    [GONE, answer(b'{"status":7,"message":"\xe5\xaf\xb9\xe8\xaf\x9d\xe4\xb8\x8d\xe5\xad\x98\xe5\x9c\xa8"}')],
)
def test_what_is_not_there_any_more_is_deleted(refusal: Play) -> None:
    with against([refusal]) as (client, _):
        VideoCalls(client).delete(TOKEN, "v")


@pytest.mark.parametrize(
    "refusal", [PAGE, answer(b'{"status":500,"message":"x"}'), answer(b"", status=b"502 Bad Gateway")]
)
def test_a_deletion_that_failed_is_told(refusal: Play) -> None:
    """A page says that the path is gone, and nothing about the video."""
    with against([refusal]) as (client, _), pytest.raises(UpstreamError):
        VideoCalls(client).delete(TOKEN, "v")


@pytest.mark.parametrize(("refusal", "expected"), [(GONE, NotFound), (PAGE, UpstreamInvalid)])
def test_looking_for_what_is_gone(refusal: Play, expected: type[GatewayError]) -> None:
    with against([refusal]) as (client, _), pytest.raises(expected):
        VideoCalls(client).look(TOKEN, "v")


@pytest.mark.parametrize("field", ["msg", "status"])
@pytest.mark.parametrize("before", [0, 100, 150, 190, 199])
def test_a_token_is_taken_out_before_words_are_cut(field: str, before: int) -> None:
    token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "eyJ2aWQiOiI3" * 30 + "." + "v1deo-sig-" * 5
    redactor.accept(token)
    with pytest.raises(VideoFailed) as raised:
        parse_state({"status": "failed"} | {field: "y" * before + token})
    assert not any(token[at : at + 12] in raised.value.message for at in range(37, len(token) - 12))
    assert len(raised.value.message) < 300
