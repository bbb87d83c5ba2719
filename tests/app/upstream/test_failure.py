"""What each refusal of the upstream amounts to: the codes and words of the protocol notes 2.3, 4.8 and 5."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import (
    AccessRejected,
    AccountAnswering,
    AccountBlocked,
    ConversationNotFound,
    GatewayError,
    ModelNotFound,
    PromptTooLong,
    UpstreamBusy,
    UpstreamChanged,
    UpstreamError,
    UpstreamInvalid,
    UpstreamThrottled,
    UpstreamUnreachable,
)
from app.logs import redactor
from app.upstream.failure import _BY_CODE, _BY_WORDS, classify_detail, classify_document, classify_refusal

CODES: list[tuple[object, type[GatewayError]]] = [
    (401, AccessRejected),
    (40102, AccessRejected),
    (40103, AccessRejected),
    (10061, UpstreamThrottled),
    (429, UpstreamThrottled),
    (10062, UpstreamThrottled),
    (10025, UpstreamUnreachable),
    (1301, UpstreamBusy),
    (40012, AccountBlocked),
    (40001, UpstreamChanged),
    (40002, UpstreamChanged),
    (40011, UpstreamChanged),
    (40014, UpstreamChanged),
    (500, UpstreamUnreachable),
    (502, UpstreamUnreachable),
    (503, UpstreamUnreachable),
    (504, UpstreamUnreachable),
    (10024, UpstreamError),
    (2, UpstreamError),
]
WORDS: list[tuple[object, str, type[GatewayError]]] = [
    (10404, "智能体不存在", ModelNotFound),
    (10061, "请等待其他对话生成完毕后再试", AccountAnswering),
    (10061, "请求过于频繁,请稍后再试", UpstreamThrottled),
    (None, "其他对话生成中", AccountAnswering),
    (None, "超过并发限制", AccountAnswering),
    (None, "您的操作太快了", UpstreamThrottled),
    (None, "too many requests", UpstreamThrottled),
    (1301, "当前访问人数过多，请稍后重试", UpstreamBusy),
    (10062, "高峰期排队中，请稍后再试", UpstreamThrottled),
    (10025, "internal server error", UpstreamUnreachable),
    (None, "quota exceeded", UpstreamThrottled),
    (None, "高峰期", UpstreamBusy),
    (None, "排队中", UpstreamBusy),
    (None, "Server busy, try later", UpstreamBusy),
    (2, "内容已超过对话长度62.25%，请删减部分文件", PromptTooLong),
    (500, "您已多次体验过对话, 请登录后继续使用", AccountBlocked),
    (40103, "user needs login", AccessRejected),
    (None, "Signature has expired", AccessRejected),
    (None, "登录已过期", AccessRejected),
    (None, "conversation not found", ConversationNotFound),
    (None, "请开通会员后继续", UpstreamThrottled),
    (10024, "generator exit", UpstreamError),
    (None, "something new", UpstreamError),
]


@pytest.mark.parametrize("code", [code for code, _ in CODES])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_code_may_be_a_number_or_a_string(code: object, *, as_text: bool) -> None:
    expected = dict(CODES)[code]
    assert type(classify_refusal(str(code) if as_text else code, None)) is expected


@pytest.mark.parametrize(("code", "words", "expected"), WORDS)
def test_words_tell_more_than_codes(code: object, words: str, expected: type[GatewayError]) -> None:
    error = classify_refusal(code, words)
    assert type(error) is expected
    assert words in error.message


def test_every_rule_is_in_these_tables() -> None:
    known = {str(code) for code, _ in CODES}
    assert {code for rule in _BY_CODE for code in rule.codes} <= known
    for rule in _BY_WORDS:
        assert rule.codes <= known
        assert rule.codes or any(word in words for word in rule.words for _, words, _ in WORDS), rule.words


def test_what_waiting_cures_says_how_long() -> None:
    for rule in (*_BY_WORDS, *_BY_CODE):
        waits = rule.error.status == 429 or issubclass(rule.error, UpstreamBusy)
        assert (rule.retry_after_seconds is not None) == waits, rule


@pytest.mark.parametrize(("code", "message"), [(None, None), ([], {}), (1.5, 7), ({}, []), (True, "")])
def test_odd_values_are_read_too(code: object, message: object) -> None:
    assert type(classify_refusal(code, message)) is UpstreamError


def test_long_words_are_cut() -> None:
    assert len(classify_refusal(1, "x" * 10_000_000).message) < 400


DOCUMENTS: list[tuple[Any, type[GatewayError]]] = [
    ({"status": 40103, "message": "user needs login"}, AccessRejected),
    ({"code": 401, "message": ""}, AccessRejected),
    ({"status": 10061, "message": "x", "rid": "r"}, UpstreamThrottled),
    ({"validation_error": {"body_params": [{"loc": ["assistant_id"]}]}}, ModelNotFound),
    ({"validation_error": {"body_params": [{"loc": ["messages", 0]}, 7]}}, UpstreamInvalid),
    ({"validation_error": {"body_params": 7}}, UpstreamInvalid),
    ({"validation_error": []}, UpstreamInvalid),
    ({"status": 10404, "message": "智能体不存在或已下架"}, ModelNotFound),
    ({"message": "内容已超过对话长度62.25%，请删减部分文件", "result": [], "status": 2}, PromptTooLong),
    ({}, UpstreamError),
    ([], UpstreamInvalid),
    ("words", UpstreamInvalid),
    (None, UpstreamInvalid),
    (0, UpstreamInvalid),
]


@pytest.mark.parametrize(("document", "expected"), DOCUMENTS)
def test_json_instead_of_a_stream(document: Any, expected: type[GatewayError]) -> None:
    assert type(classify_document(document)) is expected


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (None, None),
        ({}, None),
        ("", None),
        ([], None),
        (0, None),
        ("当前访问人数过多", UpstreamBusy),
        ({"code": "1301", "message": "x"}, UpstreamBusy),
        ({"error_code": 10061}, UpstreamThrottled),
        ({"code": None, "error_code": "10062"}, UpstreamThrottled),
        ({"code": 10025, "message": "internal server error"}, UpstreamUnreachable),
        ({"err_msg": "请求过于频繁"}, UpstreamThrottled),
        ({"message": None, "err_msg": "user needs login"}, AccessRejected),
        ({"unknown": 1}, UpstreamError),
    ],
)
def test_the_error_of_a_frame(detail: object, expected: type[GatewayError] | None) -> None:
    error = classify_detail(detail)
    assert (None if error is None else type(error)) is expected


TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "eyJqdGkiOiIx" * 30 + "." + "s1gnature-" * 5


@pytest.mark.parametrize("before", [*range(0, 300, 20), 1990])
def test_a_token_is_taken_out_before_words_are_cut(before: int) -> None:
    """What stands where the words are cut would be no token any more, and pass as words."""
    redactor.accept(TOKEN)
    words = "x" * before + TOKEN
    for error in (
        classify_refusal(7, words),
        classify_refusal(10061, words),
        classify_detail({"code": 7, "message": words}),
        classify_document({"status": TOKEN, "message": words}),
        classify_document({"code": 7, "message": words}),
    ):
        assert error is not None
        shown = str(error).replace("x", "")
        assert not any(TOKEN[at : at + 12] in shown for at in range(37, len(TOKEN) - 12)), shown
        assert len(shown) < 400


def test_words_behind_many_others_are_known_as_well() -> None:
    assert isinstance(classify_refusal(7, "x" * 1000 + "请求过于频繁"), UpstreamThrottled)
