"""What the ledger says about conversations: due, kept, in use, and after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.conversations.ledger import Conversation, Ledger
from app.core.errors import AnswerNotHeld
from app.state import MEMORY, open_state

NOW = 1_000_000.0


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(open_state(MEMORY))


def record(
    ledger: Ledger,
    name: str,
    *,
    owner: str = "anna",
    caller: str = "",
    created: float = NOW,
    due: float = NOW,
) -> None:
    """A conversation whose one use is over."""
    ledger.begin(Conversation(name, "assistant", owner, caller, created, created, due))
    ledger.end(name, now=created, due=due)


def note_statements(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The values of each statement from now on."""
    statements: list[tuple[Any, ...]] = []
    run = ledger._state.run

    def note(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        statements.append(values)
        return run(statement, *values)

    monkeypatch.setattr(ledger._state, "run", note)
    return statements


def test_what_is_recorded_is_found(ledger: Ledger) -> None:
    ledger.begin(Conversation("c", "assistant", "anna", "caller", NOW, NOW, NOW + 60))
    assert ledger.get("c") == Conversation("c", "assistant", "anna", "caller", NOW, NOW, NOW + 60, 0)
    assert ledger.get("other") is None
    assert (ledger.count(), ledger.in_use, ledger.is_in_use("c")) == (1, 1, True)
    ledger.end("c", now=NOW + 5, due=NOW + 65)
    assert ledger.get("c") == Conversation("c", "assistant", "anna", "caller", NOW, NOW + 5, NOW + 65, 0)
    assert (ledger.in_use, ledger.is_in_use("c")) == (0, False)


def test_a_continuation_moves_the_due_time_and_keeps_the_rest(ledger: Ledger) -> None:
    record(ledger, "c", due=NOW + 60)
    ledger.postpone("c", NOW + 61, attempts=3)
    ledger.begin(Conversation("c", "x", "x", "x", NOW + 30, NOW + 30, NOW + 90))
    assert ledger.get("c") == Conversation("c", "assistant", "anna", "", NOW, NOW + 30, NOW + 90, 0)
    ledger.end("c", now=NOW + 31, due=NOW + 91)


def test_two_uses_end_one_by_one(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.begin(Conversation("c", "assistant", "anna", ""))
    ledger.end("c", now=NOW, due=NOW)
    assert ledger.first_due("anna", NOW) is None
    ledger.end("c", now=NOW, due=NOW)
    due = ledger.first_due("anna", NOW)
    assert due is not None
    assert due.id == "c"


def test_the_longest_due_comes_first_and_each_owner_for_themselves(ledger: Ledger) -> None:
    for name, owner, due in (("late", "anna", NOW), ("early", "anna", NOW - 9), ("other", "bert", NOW - 99)):
        record(ledger, name, owner=owner, due=due)
    first = ledger.first_due("anna", NOW)
    assert first is not None
    assert first.id == "early"
    assert sorted(ledger.list_owners_due(["anna", "bert", "carl"], NOW)) == ["anna", "bert"]
    assert ledger.list_owners_due(["anna"], NOW - 50) == []
    assert ledger.list_owners_due([], NOW) == []


def test_the_next_due_time(ledger: Ledger) -> None:
    assert ledger.next_due(NOW) is None
    for name, due in (("past", NOW), ("soon", NOW + 5), ("later", NOW + 50)):
        record(ledger, name, due=due)
    assert ledger.next_due(NOW) == NOW + 5
    ledger.forget("soon")
    assert ledger.next_due(NOW) == NOW + 50


def test_what_others_use_is_not_looked_at(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):
        ledger.begin(Conversation(f"used-{number}", "assistant", "bert", "", NOW, NOW, NOW))
    record(ledger, "free")
    statements = note_statements(ledger, monkeypatch)
    due = ledger.first_due("anna", NOW)
    assert due is not None
    assert due.id == "free"
    assert statements == [("anna", NOW)]


def test_however_many_of_its_own_are_used_they_are_passed_over_at_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Videos that are waited for: one look for each would stop every stream for as long as they take."""
    for number in range(200):
        ledger.begin(Conversation(f"video-{number}", "assistant", "anna", ""))
    record(ledger, "free")
    statements = note_statements(ledger, monkeypatch)
    due = ledger.first_due("anna", NOW)
    assert due is not None
    assert due.id == "free"
    assert len(statements) == 2


def test_one_that_goes_while_it_is_passed_over_hides_no_other(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(ledger, "going", due=NOW - 1)
    record(ledger, "next", due=NOW)
    assert ledger.claim("going")
    is_taken = ledger._is_taken

    def find_taken_and_delete(conversation_id: str) -> bool:
        found = is_taken(conversation_id)
        if found:
            ledger.forget(conversation_id)
            ledger.unclaim(conversation_id)
        return found

    monkeypatch.setattr(ledger, "_is_taken", find_taken_and_delete)
    due = ledger.first_due("anna", NOW)
    assert due is not None
    assert due.id == "next"


def test_those_in_use_do_not_hide_others(ledger: Ledger) -> None:
    for number in range(10):
        ledger.begin(Conversation(f"used-{number}", "assistant", "anna", ""))
        ledger._state.run("UPDATE conversation SET due = 0 WHERE id = ?", f"used-{number}")
    record(ledger, "free")
    due = ledger.first_due("anna", NOW)
    assert due is not None
    assert due.id == "free"
    for number in range(10):
        ledger.end(f"used-{number}", now=NOW, due=NOW)


def test_only_what_can_be_continued_is_listed_the_newest_first(ledger: Ledger) -> None:
    record(ledger, "old", created=NOW - 5, due=NOW + 60)
    record(ledger, "new", due=NOW + 60)
    record(ledger, "over", due=NOW)
    record(ledger, "of another caller", caller="other", due=NOW + 60)
    record(ledger, "of another account", owner="bert", due=NOW + 60)
    ledger.begin(Conversation("answering", "assistant", "anna", "", NOW - 9, NOW, NOW))
    listed = [kept.id for kept in ledger.list_kept(["anna"], "", NOW)]
    assert listed == ["new", "old", "answering"]
    ledger.end("answering", now=NOW, due=NOW)


def test_conversations_follow_their_account_to_its_login(ledger: Ledger) -> None:
    record(ledger, "a", owner="account", due=NOW + 5)
    record(ledger, "b", owner="bert", due=NOW)
    ledger.adopt("account", "anna")
    found = ledger.get("a")
    assert found is not None
    assert (found.owner, found.due) == ("anna", NOW + 5)
    assert ledger.list_owners_due(["anna", "account", "bert"], NOW + 9) == ["anna", "bert"]


def test_a_restart_keeps_all_but_the_uses(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite3")
    state = open_state(path)
    Ledger(state).begin(Conversation("cut off", "assistant", "anna", "", NOW, NOW, NOW + 60))
    state.close()
    state = open_state(path)
    ledger = Ledger(state)
    due = ledger.first_due("anna", NOW + 60)
    assert due is not None
    assert (due.id, ledger.in_use) == ("cut off", 0)
    state.close()


@pytest.mark.parametrize("odd", ["'; DROP TABLE conversation; --", "\u2028😀", "x" * 10_000, ""])
def test_any_name(ledger: Ledger, odd: str) -> None:
    record(ledger, odd, owner=odd, caller=odd, due=NOW + 1)
    assert [kept.id for kept in ledger.list_kept([odd], odd, NOW)] == [odd]
    assert ledger.list_owners_due([odd], NOW + 1) == [odd]


def test_answers_are_counted_that_come_to_a_good_end(ledger: Ledger) -> None:
    conversation = Conversation("c", "assistant", "anna", "")
    for answered, before in ((True, 0), (False, 1), (True, 1)):
        assert ledger.begin(conversation) == before
        ledger.end("c", now=NOW, due=NOW + 60, is_answered=answered)
    kept = ledger.get("c")
    assert kept is not None
    assert kept.turns == 2


@pytest.mark.parametrize("turn", [0, 1, 3])
def test_a_conversation_goes_on_from_its_latest_answer_alone(ledger: Ledger, turn: int) -> None:
    conversation = Conversation("c", "assistant", "anna", "", due=NOW + 60)
    for _ in range(2):
        ledger.begin(conversation)
        ledger.end("c", now=NOW, due=NOW + 60, is_answered=True)
    before = ledger.get("c")
    with pytest.raises(AnswerNotHeld):
        ledger.begin(conversation, goes_on_from=turn)
    assert (ledger.get("c"), ledger.in_use) == (before, 0)
    assert ledger.begin(conversation, goes_on_from=2) == 2
