"""Deleting and using one conversation exclude each other, however they meet."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from sqlite3 import ProgrammingError

import pytest

from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation, Ledger
from app.conversations.use import ConversationUse
from app.core.errors import ConversationBusy, ConversationNotFound, UpstreamUnreachable
from app.state import MEMORY, open_state

CONVERSATION = Conversation("c", "assistant", "anna", "", due=0.0)


@pytest.fixture
def ledger() -> Ledger:
    """Holds one conversation, which is due."""
    ledger = Ledger(open_state(MEMORY))
    ledger.begin(CONVERSATION)
    ledger.end("c", now=0.0, due=0.0)
    return ledger


def test_one_that_is_being_deleted_cannot_be_continued(ledger: Ledger) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def delete(conversation: Conversation) -> None:
        begun.set()
        go_on.wait(5)

    cleaner = Cleaner(ledger, delete, lambda: ["anna"], lambda: 1.0)
    cleaner.start()
    cleaner.serve("anna")
    assert begun.wait(5)
    with pytest.raises(ConversationNotFound):
        ledger.begin(CONVERSATION)
    with pytest.raises(ConversationBusy):
        cleaner.delete_now(CONVERSATION)
    assert ledger.first_due("anna", 1.0) is None
    go_on.set()
    cleaner.stop(5)
    assert ledger.count() == 0
    assert ledger.in_use == 0


def test_a_use_that_is_refused_ends_no_other(ledger: Ledger) -> None:
    """It begins while the deletion runs, which fails; somebody else has it by the time the first one ends."""
    cleaner = Cleaner(ledger, lambda conversation: None, lambda: ["anna"], lambda: 1.0)
    refused = ConversationUse(ledger, cleaner, CONVERSATION, 0.0)
    assert ledger.claim("c")
    with pytest.raises(ConversationNotFound):
        refused.begin("c")
    ledger.unclaim("c")
    ledger.begin(CONVERSATION)
    refused.end(delivered=False)
    assert ledger.is_in_use("c")


def test_a_state_that_fails_leaves_nothing_in_use(ledger: Ledger) -> None:
    ledger.begin(CONVERSATION)
    ledger._state.close()
    with pytest.raises(ProgrammingError):
        ledger.end("c", now=0.0, due=0.0)
    with pytest.raises(ProgrammingError):
        ledger.begin(CONVERSATION)
    assert ledger.in_use == 0


def test_one_in_use_is_not_deleted_even_when_asked_to(ledger: Ledger) -> None:
    asked: list[Conversation] = []
    cleaner = Cleaner(ledger, asked.append, lambda: ["anna"], lambda: 1.0)
    ledger.begin(CONVERSATION)
    with pytest.raises(ConversationBusy):
        cleaner.delete_now(CONVERSATION)
    ledger.end("c", now=0.0, due=0.0)
    cleaner.delete_now(CONVERSATION)
    assert asked == [CONVERSATION]


def test_it_is_taken_between_being_found_and_being_deleted(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cleaner looks it up, a client continues it, the cleaner comes to delete it."""
    asked: list[Conversation] = []
    cleaner = Cleaner(ledger, asked.append, lambda: ["anna"], lambda: 1.0)
    first_due = ledger.first_due

    def found_then_used(owner: str, now: float) -> Conversation | None:
        found = first_due(owner, now)
        if found is not None:
            ledger.begin(found)
        return found

    monkeypatch.setattr(ledger, "first_due", found_then_used)
    cleaner.serve("anna")
    cleaner.stop(5)  # serves what is noted
    assert asked == []
    kept = ledger.get("c")
    assert kept is not None
    assert kept.attempts == 0


def test_a_failed_deletion_gives_it_back(ledger: Ledger) -> None:
    def delete(conversation: Conversation) -> None:
        raise UpstreamUnreachable("away")

    with pytest.raises(UpstreamUnreachable):
        Cleaner(ledger, delete, lambda: ["anna"], lambda: 1.0).delete_now(CONVERSATION)
    ledger.begin(CONVERSATION)


def test_of_many_who_claim_it_one_gets_it(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: ledger.claim("c"), range(64))) == 1
