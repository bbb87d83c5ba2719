"""Conversations: who owns them, with which assistant, and whether they still exist.

An id is 24 hex digits and looks like the upstream's (seconds, randomness, counter); the first answer of a new
conversation has the id that follows it (protocol notes 4.2).
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Conversation:
    """`announced` tells whether the client ever saw the id: only then can it be expected to delete it."""

    id: str
    account: str
    assistant_id: str
    turns: int = 0
    announced: bool = False
    in_use: bool = False
    deleted: bool = False
    deleted_while_in_use: bool = False


class ConversationBook:
    """All conversations, deleted ones included. For everyone but the owner a conversation does not exist."""

    def __init__(self) -> None:
        self._conversations: dict[str, Conversation] = {}
        self._counter = itertools.count(secrets.randbelow(0x700000), 2)

    def __iter__(self) -> Iterator[Conversation]:
        return iter(self._conversations.values())

    def create(self, account: str, assistant_id: str, conversation_id: str = "") -> Conversation:
        """A new conversation; an explicit id (a replayed capture's) takes the place of an earlier one."""
        conversation = Conversation(conversation_id or self.new_id(), account, assistant_id)
        self._conversations[conversation.id] = conversation
        return conversation

    def new_id(self) -> str:
        return f"{int(time.time()):08x}{secrets.token_hex(5)}{next(self._counter):06x}"

    def find(self, conversation_id: str, account: str) -> Conversation | None:
        conversation = self._conversations.get(conversation_id)
        if conversation is None or conversation.deleted or conversation.account != account:
            return None
        return conversation

    def delete(self, ids: Iterable[str], account: str, assistant_id: str) -> bool:
        """Deletes all of them or none; False when one is unknown, foreign, gone or another assistant's."""
        found = [self.find(conversation_id, account) for conversation_id in ids]
        conversations = [one for one in found if one is not None and one.assistant_id == assistant_id]
        if not found or len(conversations) < len(found):
            return False
        for conversation in conversations:
            conversation.deleted = True
            conversation.deleted_while_in_use = conversation.in_use
        return True

    def delete_all(self, account: str) -> int:
        """Deletes all of an account's; returns how many there were."""
        conversations = [one for one in self if one.account == account and not one.deleted]
        for conversation in conversations:
            conversation.deleted = True
            conversation.deleted_while_in_use |= conversation.in_use
        return len(conversations)


def following_id(object_id: str) -> str:
    """The id that the upstream would give out next."""
    return f"{int(object_id, 16) + 1:024x}"
