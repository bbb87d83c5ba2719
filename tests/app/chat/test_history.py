"""One digest for what was delivered and for what clients send back of it."""

from __future__ import annotations

import hashlib
import time

import pytest
from msgspec.structs import replace

from app.chat.history import HistoryDigest, can_be_gone_on_with
from app.core.request import Call, FilePart, Question, TextPart, Turn
from app.core.tool import JsonOutput, Tool


def digest(*turns: Turn, context: tuple[str, ...] = ("ann",)) -> str:
    history = HistoryDigest(context)
    for turn in turns:
        history.add(turn)
    return history.write()


def user(text: str) -> Turn:
    return Turn("user", (TextPart(text),))


def answer(text: str) -> Turn:
    return Turn("assistant", (TextPart(text),))


SAME = [
    "晴 28 度。\n\n多云",
    "晴28度。多云 ",
    "<think>\n先想\n</think>\n\n晴 28 度。\n\n多云",
    "晴 28 度。[1](https://weather.example/a?b=c)\n\n多云[12](http://x.example/)",
    "![image](https://sfile.example/1.png)\n\n晴 28 度。多云",
    '<details type="reasoning" done="true">\n> 先想\n</details>\n晴 28 度。多云',
]


THOUGHT, SAID = "先想\n再想\n\n> 想好", "> 晴\n多云"
QUOTED = [
    f"> {THOUGHT}\n\n{SAID}",
    "> " + THOUGHT.replace("\n\n", "\n\n> ") + f"\n\n{SAID}",
    "> " + THOUGHT.replace("\n", "\n> ") + f"\n\n{SAID}",
    f"> {THOUGHT}\n\n{SAID}[1](https://x.example/)",
]


@pytest.mark.parametrize("text", QUOTED)
def test_thoughts_may_stand_before_an_answer_as_a_quotation(text: str) -> None:
    """Programs quote the first line of it, each paragraph or each line."""
    history = HistoryDigest(("ann",))
    history.add(user("a"))
    assert history.write_answered(f"\n{THOUGHT}\n{SAID}") == digest(user("a"), answer(text))
    assert history.write_answered(SAID) == digest(user("a"), answer(SAID))
    assert history.write() == digest(user("a"))


@pytest.mark.parametrize("text", SAME)
def test_what_clients_leave_out_does_not_count(text: str) -> None:
    assert digest(user("a"), answer(text)) == digest(user("a"), answer(SAME[0]))


def test_a_picture_may_stand_anywhere() -> None:
    """Also where the rest is a citation, which counts no more than a picture does."""
    assert digest(answer("晴[1![image](u)](https://x.example/)")) == digest(answer("晴"))


OTHERS = [
    (user("b"), answer("x")),
    (user("a"), answer("y")),
    (user("a"), user("x")),
    (user("a"),),
    (answer("x"), user("a")),
    (Turn("system", (TextPart("s"),)), user("a"), answer("x")),
    (Turn("user", (TextPart("a"), FilePart("image", "https://x.example/", "p"))), answer("x")),
    (user("a x"), answer("")),
]


@pytest.mark.parametrize("turns", OTHERS)
def test_every_difference_counts(turns: tuple[Turn, ...]) -> None:
    assert digest(*turns) != digest(user("a"), answer("x"))


def test_whose_history_it_is_counts() -> None:
    turns = user("a"), answer("x")
    assert digest(*turns) != digest(*turns, context=("bob",))
    assert digest(*turns, context=("a", "bc")) != digest(*turns, context=("ab", "c"))


def test_another_picture_is_another_history() -> None:
    def look(url: str) -> str:
        return digest(Turn("user", (FilePart("image", url, "p"),)))

    assert look("data:image/png;base64,AA") != look("data:image/png;base64,AB")
    assert look("data:image/png;base64,AA") == look("data:image/png;base64,AA")


HOSTILE = (
    "<think>",
    "</think><think>",
    '<details type="reasoning"',
    "![",
    "![a](",
    "[1](https://",
    "<think></think>",
    ">",
    "> ",
    "\n>",
    " ",
)


@pytest.mark.parametrize("mark", HOSTILE)
def test_work_is_linear_in_what_an_answer_holds(mark: str) -> None:
    """In CPU time of the thread: a history comes from the client, and one thread serves all."""
    began_at = time.thread_time()
    HistoryDigest(()).write_answered(mark * (1_000_000 // len(mark)))
    assert time.thread_time() - began_at < 1  # a hundred times what it takes; by pattern it were minutes


@pytest.mark.parametrize("mark", [*HOSTILE, "a ", "你好 "])
def test_what_no_answer_of_ours_can_be_is_only_hashed(mark: str) -> None:
    """By CPU time of the thread, beside the hash alone."""
    text = mark * (4_000_000 // len(mark))
    began_at = time.thread_time()
    hashlib.sha256(text.encode())
    hashed_at = time.thread_time()
    HistoryDigest(()).write_answered(text)
    assert time.thread_time() - hashed_at < 10 * (hashed_at - began_at) + 0.01


def test_no_text_can_pose_as_two() -> None:
    def say(*texts: str) -> str:
        return digest(Turn("user", tuple([TextPart(text) for text in texts])))

    assert len({say("a", "b"), say("a\n1\nb"), say("ab"), say("a", "", "b"), say("\ud800"), say("?")}) == 6


def test_thinking_is_left_out_wherever_it_closes() -> None:
    said = "a<think>b</think>c<think>d</think>e<think>open"
    assert digest(answer(said)) == digest(answer("ace<think>open"))


CALLING = replace(answer("x"), calls=(Call("1", "f", "{}"),))
CHAT = Question((user("a"), answer("x"), user("b")), "glm")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (CHAT, True),
        (replace(CHAT, turns=(user("a"),)), True),
        (replace(CHAT, turns=CHAT.turns[:2]), False),
        (replace(CHAT, continued_id="c"), False),
        (replace(CHAT, is_stored=False), False),
        (replace(CHAT, keeps_conversation=False), True),
        (replace(CHAT, tools=(Tool("read"),)), False),
        (replace(CHAT, json_output=JsonOutput()), False),
        (replace(CHAT, turns=(user("a"), Turn("tool", (TextPart("r"),)), user("b"))), False),
        (
            replace(CHAT, turns=(user("a"), replace(answer("x"), calls=(Call("1", "f", "{}"),)), user("b"))),
            False,
        ),
    ],
)
def test_which_chats_can_be_gone_on_with(question: Question, *, expected: bool) -> None:
    assert can_be_gone_on_with(question) is expected
