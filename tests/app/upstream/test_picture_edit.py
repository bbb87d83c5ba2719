"""What an answer to the call that edits a picture means (protocol notes 0.2 row 18)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import (
    AccessRejected,
    AccountBlocked,
    NoPicture,
    PromptTooLong,
    UpstreamBusy,
    UpstreamThrottled,
    UpstreamUnreachable,
)
from app.upstream.picture_edit import EditAnswer, PictureEdit, Verdict, build_edit, read_edit
from app.upstream.upload import UploadedFile

NAME = "6a5000000000000000000001"


def answer(http_status: int, result: Any = None, **fields: Any) -> EditAnswer:
    return read_edit(http_status, {"status": 0, "message": "success", "result": result} | fields)


def refuse(code: object, message: str = "", status: int = 200) -> EditAnswer:
    return answer(status, status=code, message=message)


def test_what_is_sent() -> None:
    file = UploadedFile("f1", "s1", "https://x/f1.png?sign=1", "a.png", 9, 1, 1, is_picture=True)
    assert json.loads(build_edit(PictureEdit(file, "戴帽子", "3:4"))) == {
        "aspect_ratio": "3:4",
        "assistant_id": "65a232c082ff90a2ad2f15e2",
        "category": 1,
        "conversation_id": "",
        "file_id": "f1",
        "history_id": "",
        "if_plus_model": False,
        "image_url": "https://x/f1.png?sign=1",
        "prompt": "戴帽子",
        "rm_label_watermark": False,
        "title": "【智能编辑】 戴帽子",
        "type": "Intelligent Editing",
    }


def test_a_picture() -> None:
    drawn = answer(200, {"image_url": "https://x/1.png", "conversation_id": NAME})
    assert drawn == EditAnswer(Verdict.DRAWN, "https://x/1.png", NAME)
    unnamed = answer(200, {"image_url": "https://x/1.png"})
    assert unnamed == EditAnswer(Verdict.DRAWN, "https://x/1.png", None)


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("document", [None, {}, {"status": 404, "message": "not found", "result": None}])
def test_where_there_is_no_such_call_nothing_was_drawn(status: int, document: Any) -> None:
    assert read_edit(status, document).verdict is Verdict.UNAVAILABLE


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("code", [500, 10025, 40001, 40014, 10404, 2, "x", None])
def test_the_upstreams_own_refusal_of_the_call_leaves_the_other_way(status: int, code: object) -> None:
    assert refuse(code, "internal server error", status).verdict is Verdict.UNAVAILABLE


def test_a_success_that_says_nothing_leaves_the_other_way() -> None:
    """As an assistant is told that nobody has (row 4)."""
    assert answer(200, None).verdict is Verdict.UNAVAILABLE


@pytest.mark.parametrize(
    ("code", "words", "error"),
    [
        (10061, "请等待其他对话生成完毕", UpstreamThrottled),
        (10061, "请求过于频繁", UpstreamThrottled),
        (10062, "排队中", UpstreamThrottled),
        (1301, "当前访问人数过多", UpstreamBusy),
        (40012, "bad request", AccountBlocked),
        (500, "您已多次体验过对话, 请登录后继续使用", AccountBlocked),
        (2, "内容已超过对话长度62.25%", PromptTooLong),
    ],
)
def test_what_the_other_way_would_meet_as_well(code: int, words: str, error: type[Exception]) -> None:
    refused = refuse(code, words)
    assert refused.verdict is Verdict.REFUSED
    assert isinstance(refused.error, error)


@pytest.mark.parametrize(("status", "verdict"), [
    (401, Verdict.REFUSED), (403, Verdict.REFUSED), (429, Verdict.REFUSED), (302, Verdict.REFUSED),
    (200, Verdict.UNCERTAIN), (500, Verdict.UNCERTAIN), (502, Verdict.UNCERTAIN), (504, Verdict.UNCERTAIN),
])  # fmt: skip
@pytest.mark.parametrize("document", [None, [], "x", 7])
def test_a_page_from_between(status: int, verdict: Verdict, document: Any) -> None:
    page = read_edit(status, document)
    assert page.verdict is verdict
    assert page.error is not None


@pytest.mark.parametrize("status", [200, 400, 404, 500, 503])
@pytest.mark.parametrize("code", [0, 500, 10061, None])
def test_what_has_a_conversation_may_be_drawn_and_is_deleted(status: int, code: object) -> None:
    begun = answer(status, {"conversation_id": NAME}, status=code)
    assert (begun.verdict, begun.conversation_id) == (Verdict.UNCERTAIN, NAME)
    assert begun.error is not None


@pytest.mark.parametrize(
    "result", [{"task_id": "x"}, {"image_url": "javascript:x"}, {"image_url": 7}, [1], "x"]
)
def test_a_success_without_a_picture_may_be_drawn(result: Any) -> None:
    other = answer(200, result)
    assert (other.verdict, type(other.error)) == (Verdict.UNCERTAIN, NoPicture)


@pytest.mark.parametrize("code", [40102, 40103, 401])
def test_a_dead_token_is_raised_so_that_another_is_tried(code: int) -> None:
    with pytest.raises(AccessRejected):
        refuse(code, "user needs login", 401)


def test_the_page_of_a_server_error_is_told_as_one() -> None:
    assert isinstance(read_edit(502, None).error, UpstreamUnreachable)
