"""What the upstream means when it refuses, read from codes and words (protocol notes 4.8, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from app.catalogue import account, path, upstream
from app.catalogue.message import Message
from app.catalogue.request import TOO_LONG_UPSTREAM
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
from app.core.upstream_words import UpstreamWords
from app.logs import redactor

_THROTTLED_SECONDS = 30.0  # the least pause that "too frequent" asks for (protocol notes 5.2)
_BUSY_SECONDS = 5.0
_MAX_WORDS_CHARS = 200
_MAX_READ_CHARS = 2000
_MAX_CODE_CHARS = 32
_ENDS = (".", "。", "!", "！", "?", "？", "…")

SIGNATURE_CODES = frozenset({"40001", "40002", "40011", "40014"})
"""A header is missing, or the signature or its time is wrong (protocol notes 2.3)."""


class _Rule(NamedTuple):
    codes: frozenset[str]
    words: tuple[str, ...]
    error: type[GatewayError]
    said: Message
    retry_after_seconds: float | None = None


# The first rule that knows a word or a code wins. Words come first: they tell the meanings of 10061 apart.
_BY_WORDS = (
    # Told apart from 1301 by its number alone: its words speak of peak hours too (protocol notes 0.2 row 14).
    _Rule(frozenset({"10062"}), (), UpstreamThrottled,
          account.PEAK_HOUR, _BUSY_SECONDS),
    _Rule(frozenset(), ("等待其他对话", "其他对话生成", "并发"), AccountAnswering,
          account.ELSEWHERE, _BUSY_SECONDS),
    _Rule(frozenset(), ("频繁", "太快", "too many", "quota exceeded"), UpstreamThrottled,
          account.TOO_FREQUENT, _THROTTLED_SECONDS),
    _Rule(frozenset(), ("超过对话长度", "超出对话长度"), PromptTooLong,
          TOO_LONG_UPSTREAM),
    _Rule(frozenset(), ("您已多次体验", "请登录后继续"), AccountBlocked,
          account.GUEST_USED_UP, _THROTTLED_SECONDS),
    _Rule(frozenset(), ("needs login", "has expired", "已过期"), AccessRejected,
          account.WANTS_LOGIN),
    _Rule(frozenset(), ("访问人数过多", "高峰期", "排队中", "Server busy", "请稍后"), UpstreamBusy,
          upstream.OVERLOADED, _BUSY_SECONDS),
    _Rule(frozenset(), ("conversation not found", "会话不存在", "对话不存在"), ConversationNotFound,
          path.UNKNOWN_CONVERSATION),
    _Rule(frozenset(), ("智能体不存在", "智能体已下架", "assistant not found"), ModelNotFound,
          path.UNKNOWN_ASSISTANT),
    _Rule(frozenset(), ("开通会员",), UpstreamThrottled,
          account.NO_MORE_ANSWERS, _THROTTLED_SECONDS),
)  # fmt: skip
_BY_CODE = (
    _Rule(frozenset({"401", "40102", "40103"}), (), AccessRejected,
          account.ACCESS_REFUSED),
    _Rule(frozenset({"10061", "429"}), (), UpstreamThrottled,
          account.TOO_FREQUENT, _THROTTLED_SECONDS),
    _Rule(frozenset({"1301"}), (), UpstreamBusy,
          upstream.OVERLOADED, _BUSY_SECONDS),
    _Rule(frozenset({"40012"}), (), AccountBlocked,
          account.RISK_CONTROL, _THROTTLED_SECONDS),
    _Rule(SIGNATURE_CODES, (), UpstreamChanged,
          upstream.SIGNATURE_REFUSED),
    _Rule(frozenset({"500", "502", "503", "504", "10025"}), (), UpstreamUnreachable,
          upstream.INTERNAL_FAILURE),
)  # fmt: skip


def classify_refusal(code: object, message: object) -> GatewayError:
    """The error for a refusal with this `code` (number or string) and these words; never raises."""
    number = redactor.quote(str(code), _MAX_CODE_CHARS) if isinstance(code, (int, str)) else ""
    said = message[:_MAX_READ_CHARS] if isinstance(message, str) else ""
    words = redactor.quote(said, _MAX_WORDS_CHARS)
    error = _apply_rules(number, said, words)
    error.upstream = UpstreamWords(number, words)
    return error


def _apply_rules(number: str, said: str, words: str) -> GatewayError:
    for rule in (*_BY_WORDS, *_BY_CODE):
        if number in rule.codes or any(word in said for word in rule.words):
            return rule.error(_quote(rule.said, words), retry_after_seconds=rule.retry_after_seconds)
    code_said = upstream.CODE.fill(number=number) if number else upstream.NO_CODE
    return UpstreamError(_quote(upstream.REFUSED.fill(code=code_said), words))


def classify_document(document: object) -> GatewayError:
    """The error for a JSON answer that came instead of a stream, in any of its shapes."""
    if not isinstance(document, Mapping):
        return UpstreamInvalid("The upstream answered with unknown JSON instead of a stream.")
    if "validation_error" in document:
        return _classify_validation(document["validation_error"])
    code, message = document.get("status", document.get("code")), document.get("message")
    return classify_refusal(code, message)


def _classify_validation(problems: object) -> GatewayError:
    """An id that does not fit is told in the same words as a field that is missing (protocol notes 3.1)."""
    listed = problems.get("body_params") if isinstance(problems, Mapping) else None
    places = [
        entry.get("loc")
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, Mapping)
    ]
    error: GatewayError = UpstreamInvalid("The upstream found the request invalid.")
    if any(isinstance(place, list) and "assistant_id" in place for place in places):
        error = ModelNotFound(path.ASSISTANT_ID_WRONG)
    error.upstream = UpstreamWords("validation_error", redactor.quote(str(places), _MAX_WORDS_CHARS))
    return error


def classify_detail(detail: object) -> GatewayError | None:
    """The error in a frame's `last_error` or `error`, None where there is none."""
    if isinstance(detail, str) and detail:
        return classify_refusal(None, detail)
    if not isinstance(detail, dict) or not any(detail.values()):
        return None
    code = detail.get("code") or detail.get("error_code")
    return classify_refusal(code, detail.get("message") or detail.get("err_msg"))


def _quote(said: Message, words: str) -> Message:
    """More sentences may follow."""
    ended = words if words.endswith(_ENDS) else f"{words}."
    return said.then(upstream.UPSTREAM_SAYS.fill(words=ended)) if words else said
