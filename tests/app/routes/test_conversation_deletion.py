"""A deletion asked for while the answer before it is still being stopped upstream."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.conversations.ledger import Conversation
from app.core.errors import ConversationBusy
from app.routes import conversations

CONVERSATION = Conversation("a" * 24, "assistant", "owner", "caller")


class BusyCleaner:
    """Stands for a Cleaner whose conversation is in use the first times it is asked."""

    def __init__(self, times: int) -> None:
        self.left = times

    def delete_now(self, conversation: Conversation) -> None:
        assert conversation is CONVERSATION
        self.left -= 1
        if self.left >= 0:
            raise ConversationBusy("in use")


def test_it_waits_until_the_conversation_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaner = BusyCleaner(2)
    monkeypatch.setattr(conversations, "services", lambda: SimpleNamespace(cleaner=cleaner))
    conversations._delete_soon(CONVERSATION)
    assert cleaner.left == -1


def test_it_is_refused_where_the_answer_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "services", lambda: SimpleNamespace(cleaner=BusyCleaner(1000)))
    monkeypatch.setattr(conversations, "_FREE_SECONDS", 0.0)
    with pytest.raises(ConversationBusy):
        conversations._delete_soon(CONVERSATION)
