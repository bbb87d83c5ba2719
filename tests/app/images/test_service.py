"""How often is asked for pictures, whom, and with what words; what comes out, and what is given back."""

from __future__ import annotations

import pytest

from app.core.errors import (
    ContentRefused,
    CutAnswer,
    EmptyAnswer,
    InvalidRequest,
    NoPicture,
    SilentAnswer,
    UpstreamThrottled,
    UpstreamUnreachable,
)
from app.core.event import ReplyFinished, TextDelta
from app.core.request import DrawnPicture
from app.upstream.request import DRAWING_ASSISTANT_ID, Drawing
from tests.app.images.drawing import FINISHED, Reply, Rig, Step, drawn

WORDS: list[Step] = [TextDelta("什么样的？"), FINISHED]


def test_one_picture_takes_one_question() -> None:
    rig = Rig((0, [drawn(1, "一只猫"), FINISHED]))
    assert rig.draw() == [DrawnPicture("https://x/1.png", "一只猫")]
    assert rig.asked == [(2, "画猫")]
    (plan,) = rig.plans
    assert plan.question.assistant_id == DRAWING_ASSISTANT_ID
    assert (plan.question.drawing, plan.question.reasoning_effort) == (Drawing("1:1"), "low")
    assert [account.refresh_token for account in plan.accounts] == ["a", "b"]


def test_an_assistant_of_ones_own_may_draw() -> None:
    rig = Rig((0, [drawn(1), FINISHED]))
    rig.draw(model=" " + "f" * 24)
    assert rig.plans[0].question.assistant_id == "f" * 24


def test_it_is_asked_until_there_are_enough_pictures_and_never_for_more() -> None:
    rig = Rig((0, [drawn(1), FINISHED]), (1, [drawn(2), drawn(3), FINISHED]))
    assert [picture.url[-5] for picture in rig.draw(count=2)] == ["1", "2"]
    assert rig.asked == [(2, "画猫"), (2, "画猫")]


def test_the_same_picture_twice_is_one() -> None:
    rig = Rig((0, [drawn(1), FINISHED]), (1, [drawn(1), FINISHED]), (0, [drawn(2), FINISHED]))
    assert [picture.url[-5] for picture in rig.draw(count=2)] == ["1", "2"]


def test_every_reply_and_every_file_is_closed() -> None:
    rig = Rig((0, [drawn(1), FINISHED]), (1, [CutAnswer("cut")]), UpstreamThrottled("slower"))
    rig.draw(count=3, accounts="abc")
    assert [reply.closed for reply in rig.opened] == [1, 1]
    assert rig.files.closed == 1


def test_files_are_closed_where_nothing_is_drawn() -> None:
    rig = Rig(InvalidRequest("wrong"))
    with pytest.raises(InvalidRequest):
        rig.draw()
    assert rig.files.closed == 1


# --- where something goes wrong ---


def test_after_three_failures_nobody_is_asked_any_more() -> None:
    rig = Rig(*[(0, [CutAnswer("cut")])] * 9)
    with pytest.raises(CutAnswer):
        rig.draw(accounts="abcdefghi")
    assert [accounts for accounts, _ in rig.asked] == [9, 8, 7]


def test_who_failed_is_not_asked_again() -> None:
    rig = Rig((1, [CutAnswer("cut")]), (0, [drawn(1), FINISHED]))
    rig.draw(accounts="abc")
    assert [[account.refresh_token for account in plan.accounts] for plan in rig.plans] == [
        ["a", "b", "c"],
        ["a", "c"],
    ]
    with pytest.raises(CutAnswer):
        Rig((0, [CutAnswer("cut")])).draw(accounts="a")


def test_words_instead_of_a_picture_are_met_by_insisting() -> None:
    rig = Rig((0, WORDS), (0, [drawn(1, "请画：一只猫"), FINISHED]))
    assert rig.draw("一只猫") == [DrawnPicture("https://x/1.png")]
    assert rig.asked == [(2, "一只猫"), (1, "请画：一只猫")]


def test_who_is_told_to_draw_already_is_not_told_twice() -> None:
    rig = Rig((0, WORDS), (0, [drawn(1), FINISHED]))
    rig.draw("画一只猫")
    assert rig.asked == [(2, "画一只猫"), (1, "画一只猫")]


def test_an_only_account_is_insisted_with_once() -> None:
    rig = Rig((0, WORDS), (0, WORDS), (0, WORDS))
    with pytest.raises(NoPicture):
        rig.draw("猫", accounts="a")
    assert rig.asked == [(1, "猫"), (1, "请画：猫")]


def test_a_refusal_is_final() -> None:
    rig = Rig((0, [ReplyFinished("content_filter")]), (0, [drawn(1), FINISHED]))
    with pytest.raises(ContentRefused):
        rig.draw()
    assert len(rig.asked) == 1


def test_where_no_reply_begins_every_account_has_been_tried() -> None:
    rig = Rig(UpstreamUnreachable("away"), (0, [drawn(1), FINISHED]))
    with pytest.raises(UpstreamUnreachable):
        rig.draw()
    assert len(rig.asked) == 1


def test_an_empty_answer_is_one_without_a_picture_and_silence_is_not() -> None:
    with pytest.raises(NoPicture, match="without a picture"):
        Rig(EmptyAnswer("empty")).draw()
    with pytest.raises(SilentAnswer):
        Rig(SilentAnswer("silent")).draw()


def test_fewer_pictures_are_better_than_none() -> None:
    rig = Rig((0, [drawn(1), FINISHED]), UpstreamThrottled("slower"))
    assert [picture.url[-5] for picture in rig.draw(count=3)] == ["1"]


def test_the_caller_hears_the_most_hopeful_truth() -> None:
    rig = Rig((0, WORDS), (0, [UpstreamThrottled("slower")]))
    with pytest.raises(UpstreamThrottled):
        rig.draw()


def test_nothing_more_is_asked_for_when_the_time_is_over() -> None:
    """GLM_MAX_REPLY_SECONDS, 100 here, for all pictures together."""
    replies: list[Reply] = [(0, [drawn(number), FINISHED]) for number in range(9)]
    rig = Rig(*replies, takes=40.0)
    assert len(rig.draw(count=9)) == 3


# --- what comes out ---


@pytest.mark.parametrize("revised", [None, "画猫", "请画：画猫"])
def test_words_that_were_not_changed_are_not_told(revised: str | None) -> None:
    assert Rig((0, [drawn(1, revised), FINISHED])).draw(" 画猫 ") == [DrawnPicture("https://x/1.png")]


def test_bytes_are_fetched_where_they_are_wanted_and_only_then() -> None:
    rig = Rig((0, [drawn(1), FINISHED]))
    (picture,) = rig.draw(wants_bytes=True)
    assert picture.data == "bytes of https://x/1.png"
    rig = Rig((0, [drawn(1), FINISHED]))
    rig.draw()
    assert rig.fetched == []
