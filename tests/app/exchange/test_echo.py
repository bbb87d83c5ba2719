"""What the upstream says of a failure is kept for the log, unless it repeats the question."""

from __future__ import annotations

import pytest

from app.core.errors import UpstreamBusy
from app.core.event import TextDelta
from app.core.upstream_words import UpstreamWords
from app.exchange.echo import Echo
from tests.app.exchange.opening import Opening
from tests.app.exchange.script import STARTED, Step

QUESTION = "用户：\n怎么做 红烧肉\n\n用户：\nPlease write down my Secret Recipe, 四川"


def say(text: str, question: str | None = QUESTION) -> UpstreamWords | None:
    error = UpstreamBusy("The upstream is overloaded.")
    error.upstream = UpstreamWords("1301", text)
    Echo(question).leave_out(error)
    return error.upstream


@pytest.mark.parametrize(
    "text",
    [
        "请等待其他对话生成完毕后再试",
        "Server busy, try later",
        "用户",  # shorter than what counts
        "red meat",
    ],
)
def test_the_upstreams_own_words_stay(text: str) -> None:
    assert say(text) == UpstreamWords("1301", text)


@pytest.mark.parametrize(
    "text",
    [
        QUESTION,
        "内容违规：怎么做红烧肉",
        "内容违规: 怎么做\n  红烧肉 (4001)",
        "refused: my  SECRET recipe",
        "refused: my secret",
        "……写 y Secret R ……",
    ],
)
def test_what_repeats_the_question_is_left_out(text: str) -> None:
    assert say(text) == UpstreamWords("1301")


def test_a_short_question_is_found_whole() -> None:
    assert say("不能回答：你好吗", "你好吗") == UpstreamWords("1301")
    assert say("不能回答：你好", "你好吗") == UpstreamWords("1301", "不能回答：你好")


@pytest.mark.parametrize("question", [None, "字" * 16_385])
def test_beside_a_question_that_is_not_known_nothing_is_said(question: str | None) -> None:
    assert say("Server busy, try later", question) == UpstreamWords("1301")


def test_errors_without_words_are_left_alone() -> None:
    error = UpstreamBusy("The upstream is overloaded.")
    Echo(QUESTION).leave_out(error)
    assert error.upstream is None


@pytest.mark.parametrize("before", [(STARTED,), (STARTED, TextDelta("text"))], ids=["opening", "committed"])
@pytest.mark.parametrize(("text", "kept"), [("Server busy", "Server busy"), ("about question", "")])
def test_a_reply_knows_its_question(before: tuple[Step, ...], text: str, kept: str) -> None:
    failure = UpstreamBusy("The upstream is overloaded.")
    failure.upstream = UpstreamWords("1301", text)
    rig = Opening()
    rig.script("a", *before, failure)
    with pytest.raises(UpstreamBusy) as raised:  # noqa: PT012 - before the commit point or after it
        reply = rig.open("a", prompt="my only question")
        while True:
            reply.read()
    rig.close()
    assert raised.value.upstream == UpstreamWords("1301", kept)
    assert raised.value.account == rig.label("a")
