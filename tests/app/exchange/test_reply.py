"""A reply on its clocks: how long the upstream is waited for, and what the client hears."""

from __future__ import annotations

import pytest

from app.core.errors import CutAnswer, EmptyAnswer, Outcome, UpstreamTimeout
from app.core.event import ReasoningDelta, ReplyEvent, ReplyFinished, TextDelta
from app.exchange.delivered_text import DeliveredText
from app.exchange.transforms.options import OutputOptions
from tests.app.exchange.script import COMMENT, EMPTY, FINISHED, STARTED, Rig, Step, repeat

A, B = TextDelta("a"), TextDelta("b")
CUT = CutAnswer("The upstream's answer ended before it was finished.")


# --- before the commit point ---


def test_the_first_event_is_waited_for_until_its_time_and_no_longer() -> None:
    rig = Rig(8.0, STARTED)
    rig.reply.wait_first_event(rig.begun_at + 10)
    assert rig.seconds == 8
    rig = Rig(12.0, STARTED)
    with pytest.raises(UpstreamTimeout, match="said nothing"):
        rig.reply.wait_first_event(rig.begun_at + 10)
    assert rig.seconds == 10


def test_nothing_is_read_when_the_time_is_over() -> None:
    rig = Rig(lambda: rig.pass_seconds(10), COMMENT, STARTED)
    with pytest.raises(UpstreamTimeout):
        rig.reply.wait_first_event(rig.begun_at + 10)
    assert rig.reply.frames == 0


def test_bytes_that_are_no_frame_are_no_first_event() -> None:
    rig = Rig(4.0, COMMENT, 4.0, COMMENT, 4.0, STARTED)
    with pytest.raises(UpstreamTimeout):
        rig.reply.wait_first_event(rig.begun_at + 10)


@pytest.mark.parametrize(
    ("steps", "seconds"),
    [
        pytest.param([STARTED, 1.0, A], 1, id="a delta"),
        pytest.param([[STARTED, A]], 0, id="a delta in the first frame"),
        pytest.param([STARTED, 2.0, ReasoningDelta("x")], 2, id="thinking"),
        pytest.param([STARTED, 2.0, FINISHED], 2, id="a good finish without words"),
        pytest.param([STARTED, 60.0], 3, id="GLM_COMMIT_SECONDS of silence"),
        pytest.param([STARTED, *repeat(9, 1.0, EMPTY)], 3, id="frames that say nothing do not prolong them"),
        pytest.param([4.0, STARTED, 60.0], 7, id="they count from the first event"),
        pytest.param([8.0, STARTED, 60.0], 10, id="GLM_START_SECONDS end the wait as well"),
    ],
)
def test_the_commit_point(steps: list[Step], seconds: float) -> None:
    rig = Rig(*steps)
    rig.commit(until=10)
    assert rig.seconds == seconds


def test_what_fails_before_the_commit_point_is_raised_there() -> None:
    rig = Rig(STARTED, 1.0, CUT)
    with pytest.raises(CutAnswer):
        rig.commit()


def test_what_a_transform_makes_of_the_answer_is_raised_there_as_well() -> None:
    rig = Rig(STARTED, ReasoningDelta("x"), FINISHED, options=OutputOptions(reasoning="hidden"))
    with pytest.raises(EmptyAnswer):
        rig.commit()


def test_a_reply_that_holds_no_lease_answers_with_no_account() -> None:
    rig = Rig(STARTED, A)
    assert (rig.reply.account, repr(rig.reply)[:14]) == (None, "<Reply opening")
    assert rig.commit().account == "kkkkkkkk"
    assert repr(rig.reply)[:16] == "<Reply committed"
    rig.close()
    assert repr(rig.reply)[:13] == "<Reply closed"


# --- what the client hears ---


def test_an_answer_is_heard_as_it_comes() -> None:
    rig = Rig(STARTED, 2.0, A, 1.0, [B, FINISHED])
    rig.commit()
    assert rig.play() == [(2, [A]), (3, [B, FINISHED])]
    assert (rig.reply.finished, rig.reply.outcome) == (True, Outcome.OK)
    assert rig.reply.frames == 3


def test_an_answer_is_not_finished_before_it_is_read() -> None:
    rig = Rig([STARTED, A, FINISHED])
    rig.commit()
    assert (rig.stream.finished, rig.reply.finished, rig.reply.outcome) == (True, False, Outcome.ABANDONED)
    assert rig.play() == [(0, [A, FINISHED])]


def test_silence_is_a_heartbeat() -> None:
    rig = Rig([STARTED, A], 12.0, B, 6.0, FINISHED)
    rig.commit()
    assert rig.play() == [(0, [A]), (5, None), (10, None), (12, [B]), (17, None), (18, [FINISHED])]


def test_frames_that_say_nothing_are_silence_for_the_client() -> None:
    rig = Rig([STARTED, A], *repeat(4, 2.0, EMPTY), FINISHED)
    rig.commit()
    assert rig.play() == [(0, [A]), (6, None), (8, [FINISHED])]


def test_text_is_not_held_back_by_a_silence_before_it() -> None:
    rig = Rig([STARTED, A], 5.0, B, FINISHED)
    rig.commit()
    assert [events for _, events in rig.play()] == [[A], None, [B], [FINISHED]]


def test_an_upstream_that_stops_talking_is_given_up() -> None:
    rig = Rig([STARTED, A])
    rig.commit()
    assert rig.play() == [(0, [A]), (5, None), (10, None), (15, None), (20, UpstreamTimeout)]
    assert rig.reply.outcome is Outcome.UNREACHABLE


def test_any_frame_ends_the_silence() -> None:
    rig = Rig([STARTED, A], 16.0, EMPTY, 16.0, EMPTY, 16.0, FINISHED)
    rig.commit()
    assert rig.play()[-1] == (48, [FINISHED])


def test_an_answer_takes_no_longer_than_it_may() -> None:
    """GLM_MAX_REPLY_SECONDS; what has come by then is heard before the error."""
    rig = Rig([STARTED, A], *repeat(9, 4.0, B), whole=10)
    rig.commit()
    assert rig.play() == [(0, [A]), (4, [B]), (8, [B]), (12, [B]), (12, UpstreamTimeout)]
    assert rig.reply.outcome is Outcome.UNREACHABLE


def test_an_answer_that_takes_all_the_time_it_may_is_whole() -> None:
    rig = Rig([STARTED, A], 4.0, EMPTY, 6.0, FINISHED, whole=10)
    rig.commit()
    assert rig.play()[-1] == (10, [FINISHED])


def test_what_takes_too_long_is_ended_in_its_silence() -> None:
    rig = Rig([STARTED, A], *repeat(9, 4.0, EMPTY), whole=10)
    rig.commit()
    assert rig.play() == [(0, [A]), (8, None), (12, UpstreamTimeout)]


def test_what_came_before_a_failure_is_heard_before_it() -> None:
    rig = Rig([STARTED, A], 1.0, B, CUT)
    rig.commit()
    assert rig.play() == [(0, [A]), (1, [B]), (1, CutAnswer)]
    assert not rig.reply.finished
    with pytest.raises(CutAnswer):
        rig.reply.read()


# --- names ---


def test_the_conversation_is_named_once_and_its_name_is_no_event() -> None:
    rig = Rig(STARTED, EMPTY, [A, FINISHED])
    rig.commit()
    assert rig.play() == [(0, [A, FINISHED])]
    assert rig.log == ["named a"]
    assert rig.reply.conversation_id == "a" * 24


def test_a_name_that_has_come_but_was_not_read_is_read_at_the_end() -> None:
    assert Rig(STARTED).close() == ["named a", "stream closed", "stopped b", "not delivered"]


def test_a_failure_that_was_not_read_is_nobodys_at_the_end() -> None:
    rig = Rig(CUT)
    assert rig.close() == ["stream closed", "not delivered"]


# --- early ends ---


@pytest.mark.parametrize(
    ("options", "heard"),
    [
        (OutputOptions(stop=("b",)), [A, ReplyFinished("stop", "b")]),
        (OutputOptions(max_tokens=1), [A, TextDelta("bbbbb"), ReplyFinished("length")]),
    ],
)
def test_who_has_enough_leaves_the_upstream_at_once(options: OutputOptions, heard: list[ReplyEvent]) -> None:
    rig = Rig([STARTED, A], 1.0, TextDelta("bbbbbbbbb"), 50.0, A, FINISHED, options=options)
    rig.commit()
    assert rig.hear() == heard
    assert rig.seconds == 1
    assert rig.log == ["named a", "stream closed"]
    assert (rig.reply.finished, rig.reply.outcome) == (True, Outcome.OK)
    assert rig.close() == ["stream closed", "stopped b", "delivered", "released ok"]


@pytest.mark.parametrize(
    ("steps", "options", "is_noted"),
    [
        ([A, FINISHED], OutputOptions(), True),
        ([A, ReplyFinished("content_filter")], OutputOptions(), False),
        ([TextDelta("aaaaaaaaaa"), FINISHED], OutputOptions(max_tokens=1), False),
        ([A, FINISHED], OutputOptions(stop=("b",)), True),
        ([A, B, FINISHED], OutputOptions(stop=("b",)), False),
        ([[A, B, FINISHED]], OutputOptions(stop=("b",)), False),
    ],
)
def test_a_client_was_told_everything(steps: list[Step], options: OutputOptions, *, is_noted: bool) -> None:
    """Or has less of the answer than the conversation holds, which then cannot be gone on with."""
    noted: list[str] = []
    rig = Rig(STARTED, *steps, options=options)
    rig.reply.delivered = DeliveredText(lambda text, *_: noted.append(text), is_held=False)
    rig.commit()
    rig.hear()
    assert bool(noted) is is_noted
