"""From a plan to a reply at its commit point: whom it asks, and what is left where nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.core.errors import (
    AccessRejected,
    AccountExpired,
    ConversationNotFound,
    ConversationUncertain,
    EmptyAnswer,
    GatewayError,
    ModelNotFound,
    Outcome,
    SilentAnswer,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from app.core.event import ReasoningDelta, ReplyStarted, TextDelta
from app.core.wait import Wait
from app.exchange.opener import _describe_wait
from app.hub import ClientGone, cancellation
from app.upstream.request import Drawing, StreamRequest
from tests.app.exchange.opening import ASSISTANT_ID, Opening
from tests.app.exchange.script import CONVERSATION_ID, FINISHED, STARTED

A = TextDelta("a")
ANSWER: list[Any] = [STARTED, A, FINISHED]
SILENCE = SilentAnswer("The upstream answered without a word.")


@pytest.fixture
def rig() -> Iterator[Opening]:
    rig = Opening()
    yield rig
    rig.close()
    assert (rig.pool.leased, rig.ledger.in_use) == (0, 0)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ({}, "ask"),
        ({"web_search": True}, "search"),
        ({"web_search": True, "chat_mode": "deep_research"}, "research"),
        ({"drawing": Drawing("1:1")}, "draw"),
    ],
)
def test_what_the_upstream_does_is_told(question: dict[str, Any], kind: str) -> None:
    assert _describe_wait(StreamRequest("?", ASSISTANT_ID, **question)) == Wait(kind)  # type: ignore[arg-type]


def test_what_is_waited_for_is_told_once_for_each_account(rig: Opening) -> None:
    told: list[Wait] = []
    rig.script("a", UpstreamUnreachable("no"))
    rig.script("b", STARTED, A, FINISHED)
    rig.open("a", "b", tell=told.append)
    assert told == [Wait("ask"), Wait("ask")]


def test_a_reply_comes_at_its_commit_point_with_its_lease(rig: Opening) -> None:
    rig.script("a", STARTED, 2.0, A, FINISHED)
    reply = rig.open("a", prompt="what is it?")
    assert (rig.seconds, rig.pool.leased, reply.account) == (2, 1, rig.label("a"))
    assert reply.prompt.tokens > 0
    assert rig.asked == ["a: what is it?"]
    assert reply.read() == [A]


def test_a_conversation_is_recorded_when_it_is_named_and_kept_as_long_as_planned(rig: Opening) -> None:
    rig.script("a", *ANSWER)
    reply = rig.open("a", keep_seconds=600)
    (kept,) = rig.list_kept("a")
    assert (kept.id, kept.assistant_id, kept.owner, kept.caller) == (
        CONVERSATION_ID,
        ASSISTANT_ID,
        rig.account("a").owner,
        "ann",
    )
    assert rig.ledger.is_in_use(CONVERSATION_ID)
    reply.close(in_background=False)
    assert not rig.ledger.is_in_use(CONVERSATION_ID)
    (kept,) = rig.list_kept("a")
    assert kept.due == pytest.approx(kept.last_used + 600)


def test_a_conversation_that_goes_on_is_kept_from_the_cleaner_while_it_is_asked(rig: Opening) -> None:
    """It may fall due at this very moment, and the upstream names it only when it answers."""
    seen: list[bool] = []
    rig.remember(CONVERSATION_ID, "a")
    rig.upstream.on_ask = lambda: seen.append(rig.ledger.is_in_use(CONVERSATION_ID))
    rig.script("a", *ANSWER)
    rig.answer("a", continues=CONVERSATION_ID, is_known=True)
    assert seen == [True]
    rig.script("a", *ANSWER)
    rig.answer("a", continues=CONVERSATION_ID)  # nobody here has heard of it
    assert seen == [True, False]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_question_that_is_not_answered_uses_no_conversation(rig: Opening, *, is_known: bool) -> None:
    rig.remember(CONVERSATION_ID, "a")
    rig.script("a", UpstreamUnreachable("away"))
    with pytest.raises(UpstreamUnreachable):
        rig.open("a", continues=CONVERSATION_ID, is_known=is_known)
    assert rig.ledger.in_use == 0


def test_naming_is_shielded_and_waiting_for_words_is_not(rig: Opening) -> None:
    seen: list[bool] = []

    def look() -> None:
        seen.append(bool(cancellation._shields))

    rig.upstream.on_ask = look
    rig.script("a", look, STARTED, look, A, FINISHED)
    rig.open("a")
    assert seen == [True, True, False]


# --- clocks ---


def test_an_account_that_says_nothing_is_left_for_the_next_one(rig: Opening) -> None:
    """GLM_FIRST_EVENT_SECONDS, 10 here."""
    rig.script("a", 60.0)
    rig.script("b", *ANSWER)
    rig.open("a", "b")
    assert (rig.seconds, rig.asked) == (10, ["a: ?", "b: ?"])
    assert rig.account("a").last_error == UpstreamTimeout.code


def test_the_first_event_is_waited_for_from_the_question_on(rig: Opening) -> None:
    def take_long() -> None:
        rig.clock.now += 8

    rig.upstream.on_ask = take_long
    rig.script("a", 5.0, *ANSWER)
    with pytest.raises(UpstreamTimeout):
        rig.open("a")
    assert rig.seconds == 10


def test_all_accounts_share_the_time_for_the_start(rig: Opening) -> None:
    """GLM_START_SECONDS, 15 here."""
    for token in "abc":
        rig.script(token, 60.0)
    with pytest.raises(UpstreamTimeout):
        rig.open("a", "b", "c")
    assert (rig.seconds, rig.asked) == (15, ["a: ?", "b: ?"])
    assert rig.account("c").last_error is None


def test_an_answer_that_is_left_before_its_first_word_is_stopped_before_its_account_is_free(
    rig: Opening,
) -> None:
    """An account whose next question comes too early is told that it answers already."""
    leased: list[tuple[int, bool]] = []

    def leave() -> None:
        raise ClientGone

    rig.script("a", STARTED, leave)
    rig.upstream.on_stop = lambda: leased.append((rig.pool.leased, bool(cancellation._shields)))
    with pytest.raises(ClientGone):
        rig.open("a")
    assert (leased, rig.pool.leased) == ([(1, True)], 0)  # and nobody else is heard meanwhile
    assert rig.list_kept("a") == []  # due at once: nobody has heard of it


def test_an_answer_that_fails_before_the_client_hears_it_is_the_next_accounts(rig: Opening) -> None:
    rig.script("a", ReplyStarted("d" * 24), ReasoningDelta("x"), FINISHED)
    rig.script("b", *ANSWER)
    reply = rig.open("a", "b", reasoning="hidden")
    assert (reply.account, rig.account("a").last_error) == (rig.label("b"), EmptyAnswer.code)
    assert rig.list_kept("a") == []


def test_files_take_time_of_their_own(rig: Opening) -> None:
    rig.script("a", 6.0, *ANSWER)
    rig.answer("a", files=rig.build_files(takes=300))
    assert (rig.seconds, rig.asked) == (306, ["a: ? with 1 file"])


def test_files_are_fetched_for_nobody_who_has_no_account_here(rig: Opening) -> None:
    rig.refusals["a"] = [AccountExpired("dead")]
    with pytest.raises(AccountExpired):
        rig.open("a", files=rig.build_files(takes=300))
    assert rig.seconds == 0


# --- access tokens ---


@pytest.mark.parametrize("error", [AccessRejected("401"), SILENCE])
def test_a_kept_token_that_is_refused_or_met_with_silence_is_renewed_once(
    rig: Opening, error: GatewayError
) -> None:
    rig.script("a", *ANSWER)
    rig.answer("a")
    rig.script("a", error)
    rig.script("a", *ANSWER)
    rig.open("a")
    assert rig.asked == ["a: ?"] * 3
    assert rig.refreshed == ["a", "a"]
    assert rig.account("a").failures == 0


@pytest.mark.parametrize(
    ("error", "raised"), [(AccessRejected("401"), AccountExpired), (SILENCE, SilentAnswer)]
)
def test_a_new_token_is_not_renewed(rig: Opening, error: GatewayError, raised: type[Exception]) -> None:
    rig.script("a", error)
    with pytest.raises(raised):
        rig.open("a")
    assert (rig.asked, rig.refreshed) == (["a: ?"], ["a"])


def test_a_token_that_is_refused_twice_ends_the_account(rig: Opening) -> None:
    rig.script("a", *ANSWER)
    rig.answer("a")
    rig.script("a", AccessRejected("401"))
    rig.script("a", AccessRejected("401"))
    with pytest.raises(AccountExpired, match="although its token is new"):
        rig.open("a")
    assert rig.account("a").cooling_outcome is Outcome.REJECTED


def test_another_failure_renews_no_token(rig: Opening) -> None:
    rig.script("a", *ANSWER)
    rig.answer("a")
    rig.script("a", UpstreamUnreachable("away"))
    with pytest.raises(UpstreamUnreachable):
        rig.open("a")
    assert rig.refreshed == ["a"]


def test_an_account_whose_login_answers_already_is_asked_nothing_twice_at_a_time(rig: Opening) -> None:
    """Two tokens of one login: who learns so while the other answers waits in line for it."""
    rig.logins = dict.fromkeys("ab", "ann")
    rig.script("a", *ANSWER)
    first = rig.open("a")
    rig.upstream.on_ask = lambda: pytest.fail("asked while the login answers")
    with pytest.raises(Exception, match="answering"):
        rig.open("b")
    first.close(in_background=False)


# --- what is told where every account failed ---


def test_silence_of_every_account_says_that_there_is_no_such_conversation(rig: Opening) -> None:
    rig.remember(CONVERSATION_ID, "a")
    for token in "ab":
        rig.script(token, SILENCE)
    with pytest.raises(ConversationNotFound) as raised:
        rig.open("a", "b", continues=CONVERSATION_ID)
    assert raised.value.param == "conversation_id"
    assert rig.list_kept("a") == [], "it is due"
    assert [rig.account(token).failures for token in "ab"] == [0, 0]


def test_silence_of_some_says_nothing_for_sure(rig: Opening) -> None:
    rig.remember(CONVERSATION_ID, "a")
    rig.script("a", SILENCE)
    rig.script("b", UpstreamUnreachable("away"))
    with pytest.raises(ConversationUncertain) as raised:
        rig.open("a", "b", continues=CONVERSATION_ID)
    assert raised.value.retry_after_seconds == 5
    assert rig.ledger.get(CONVERSATION_ID) is not None


def test_a_conversation_is_not_missing_where_nobody_was_silent(rig: Opening) -> None:
    rig.script("a", UpstreamUnreachable("away"))
    with pytest.raises(UpstreamUnreachable):
        rig.open("a", continues=CONVERSATION_ID)
    assert rig.account("a").failures == 1


def test_silence_without_a_conversation_is_the_accounts_own(rig: Opening) -> None:
    for token in "ab":
        rig.script(token, SILENCE)
    with pytest.raises(SilentAnswer):
        rig.open("a", "b")
    assert [rig.account(token).failures for token in "ab"] == [1, 1]


@pytest.mark.parametrize(("assistant_id", "raised"), [("f" * 24, ModelNotFound), ("", UpstreamInvalid)])
def test_an_assistant_that_is_missing_is_named(
    rig: Opening, assistant_id: str, raised: type[Exception]
) -> None:
    """One that everybody has can only be missing because the upstream changed."""
    rig.script("a", ModelNotFound("10036"))
    with pytest.raises(raised, match=assistant_id or "its own assistant"):
        rig.open("a", assistant_id=assistant_id)
