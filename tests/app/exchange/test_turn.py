"""Which answer of its conversation a reply is, and from which one it goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.errors import AnswerNotHeld, SilentAnswer
from app.core.event import TextDelta
from tests.app.exchange.opening import Opening
from tests.app.exchange.script import CONVERSATION_ID, FINISHED, STARTED, Step

A = TextDelta("a")
ANSWER: list[Step] = [STARTED, A, FINISHED]
SILENCE = SilentAnswer("The upstream answered without a word.")


@pytest.fixture
def rig() -> Iterator[Opening]:
    rig = Opening()
    yield rig
    rig.close()
    assert (rig.pool.leased, rig.ledger.in_use) == (0, 0)


def test_an_answer_is_the_next_one_of_its_conversation(rig: Opening) -> None:
    """Counted are those that came to a good end: who was cut off goes on from the answer before."""
    rig.remember(CONVERSATION_ID, "a")
    for turn, ends in ((1, True), (2, False), (2, True), (3, True)):
        rig.script("a", STARTED, A, FINISHED)
        reply = rig.open(
            "a", continues=CONVERSATION_ID, keep_seconds=600, is_known=True, continued_turn=turn - 1
        )
        assert reply.turn == turn
        while ends and not reply.finished:
            reply.read()
        reply.close(in_background=False)


def test_only_the_latest_answer_can_be_gone_on_from(rig: Opening) -> None:
    rig.remember(CONVERSATION_ID, "a")
    with pytest.raises(AnswerNotHeld):
        rig.open("a", continues=CONVERSATION_ID, keep_seconds=600, is_known=True, continued_turn=1)
    assert rig.asked == []
    rig.script("a", *ANSWER)
    rig.answer("a")


def test_an_upstream_that_knows_nothing_of_it_says_so_in_the_clients_words(rig: Opening) -> None:
    rig.remember(CONVERSATION_ID, "a")
    rig.script("a", SILENCE)
    rig.script("a", SILENCE)
    with pytest.raises(AnswerNotHeld) as raised:
        rig.open("a", continues=CONVERSATION_ID, keep_seconds=600, is_known=True, continued_turn=0)
    assert raised.value.param == "previous_response_id"
