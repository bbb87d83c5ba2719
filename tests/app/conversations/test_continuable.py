"""Conversations that are found again by a history: once each, in bounds, while they are held."""

from __future__ import annotations

from app.conversations.continuable import Continuable, ContinuableConversations


def make(name: str, *, due: float = 100.0) -> Continuable:
    return Continuable(name, "owner", 1, due, is_held=False)


def test_what_is_taken_is_gone() -> None:
    conversations = ContinuableConversations()
    conversations.put("h", make("c"))
    assert conversations.take("other", 0) is None
    assert conversations.take("h", 0) == make("c")
    assert conversations.take("h", 0) is None


def test_what_is_due_is_not_gone_on_with() -> None:
    conversations = ContinuableConversations()
    conversations.put("h", make("c", due=100))
    assert conversations.take("h", 100) is None
    assert len(conversations) == 0


def test_the_same_history_has_one_conversation() -> None:
    conversations = ContinuableConversations()
    assert conversations.put("h", make("one")) is None
    assert conversations.put("h", make("two")) == make("one")
    assert conversations.take("h", 0) == make("two")


def test_there_is_room_for_so_many_and_the_oldest_goes() -> None:
    conversations = ContinuableConversations(max_remembered=2)
    assert [conversations.put(name, make(name)) for name in "abc"] == [None, None, make("a")]
    assert {one.conversation_id for one in conversations.take_all()} == {"b", "c"}
    assert len(conversations) == 0
