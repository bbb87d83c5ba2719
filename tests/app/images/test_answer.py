"""What a reply of the drawing assistant amounts to."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ContentRefused, CutAnswer, NoPicture
from app.core.event import CitedText, ReasoningDelta, ReplyFinished, ReplyStarted, TextDelta
from app.images.answer import DrawingAnswer
from tests.app.images.drawing import FINISHED, ListedReply, Step, drawn

CUT = CutAnswer("cut")


def read(*steps: Step) -> DrawingAnswer:
    reply: Any = ListedReply("ann", *steps)
    answer = DrawingAnswer("ann")
    answer.read(reply)
    return answer


def list_urls(answer: DrawingAnswer) -> list[str]:
    return [picture.url for picture in answer.pictures]


def test_pictures_are_taken_and_words_between_them_are_not() -> None:
    answer = read(ReplyStarted("c"), TextDelta("好的"), drawn(1), ReasoningDelta("想"), drawn(2), FINISHED)
    assert (answer.account, answer.failure) == ("ann", None)
    assert list_urls(answer) == ["https://x/1.png", "https://x/2.png"]


def test_what_came_before_a_cut_counts() -> None:
    answer = read(drawn(1), CUT)
    assert (list_urls(answer), answer.failure) == (["https://x/1.png"], CUT)


def test_what_came_before_the_content_filter_does_not() -> None:
    answer = read(drawn(1), TextDelta(" 不可以 "), ReplyFinished("content_filter"))
    assert list_urls(answer) == []
    assert isinstance(answer.failure, ContentRefused)
    assert answer.failure.message == "The upstream refuses to draw this. It says: 不可以"
    assert answer.failure.param == "prompt"


def test_words_instead_of_a_picture_are_quoted_but_not_without_end() -> None:
    answer = read(TextDelta("词" * 500), FINISHED)
    assert isinstance(answer.failure, NoPicture)
    assert answer.failure.message == "The upstream answered without a picture. It says: " + "词" * 300
    silent = read(FINISHED).failure
    assert silent is not None
    assert silent.message == "The upstream answered without a picture."


@pytest.mark.parametrize(
    ("words", "urls"),
    [
        ("![cat](https://x/1)", ["https://x/1"]),
        ("[cat](https://x/1.png) [dog](https://x/2.jpeg)", ["https://x/1.png", "https://x/2.jpeg"]),
        ("![a](https://x/1.png) ![b](https://x/1.png)", ["https://x/1.png"]),
        ("[a page](https://x/1)", []),
        ("![cat](ftp://x/1.png)", []),
    ],
)
def test_links_to_pictures_are_pictures(words: str, urls: list[str]) -> None:
    """As in 2024 (protocol notes 7)."""
    answer = read(TextDelta(words[:5]), CitedText(words[5:], "", ""), FINISHED)
    assert list_urls(answer) == urls
    assert (answer.failure is None) == bool(urls)


def test_links_are_not_looked_for_beside_pictures() -> None:
    assert list_urls(read(TextDelta("![cat](https://x/9)"), drawn(1), FINISHED)) == ["https://x/1.png"]
