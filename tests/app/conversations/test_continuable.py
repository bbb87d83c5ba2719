"""Conversations that are found again by a history: once each, in bounds, while they are held."""

from __future__ import annotations

from app.conversations.continuable import Continuable, ContinuableConversations


def make(*histories: str, name: str = "c", due: float = 100.0) -> Continuable:
    return Continuable(frozenset(histories), name, "owner", 1, due, is_held=False)


def test_what_is_taken_is_gone() -> None:
    conversations = ContinuableConversations()
    conversations.put(make("h"))
    assert conversations.take("other", 0) is None
    assert conversations.take("h", 0) == make("h")
    assert conversations.take("h", 0) is None


def test_what_is_due_is_not_gone_on_with() -> None:
    conversations = ContinuableConversations()
    conversations.put(make("h", due=100))
    assert conversations.take("h", 100) is None
    assert len(conversations) == 0


def test_the_same_history_has_one_conversation() -> None:
    conversations = ContinuableConversations()
    assert conversations.put(make("h", "i", name="one")) == []
    assert conversations.put(make("h", name="two")) == [make("h", "i", name="one")]
    assert conversations.take("i", 0) is None
    assert conversations.take("h", 0) == make("h", name="two")


def test_one_that_was_taken_by_one_form_of_its_history_is_gone_by_the_other() -> None:
    conversations = ContinuableConversations()
    conversations.put(make("h", "i"))
    assert conversations.take("i", 0) == make("h", "i")
    assert conversations.take("h", 0) is None
    assert len(conversations) == 0


def test_there_is_room_for_so_many_and_the_oldest_goes() -> None:
    conversations = ContinuableConversations(max_remembered=4)
    assert [conversations.put(make(*names, name=names)) for names in ("ab", "c", "de")] == [
        [],
        [],
        [make("a", "b", name="ab")],
    ]
    assert [one.conversation_id for one in conversations.take_all()] == ["c", "de"]
    assert len(conversations) == 0
