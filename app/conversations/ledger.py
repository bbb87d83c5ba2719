"""What was left upstream: every conversation from the moment it has a name until it is deleted."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from app.catalogue.message import Message
from app.catalogue.path import BEING_DELETED, NOT_LATEST
from app.core.errors import AnswerNotHeld, ConversationNotFound, GatewayError
from app.state import State

_COLUMNS = "id, assistant_id, owner, caller, created, last_used, due, attempts, turns"
_MAX_LISTED = 500


class Conversation(msgspec.Struct, frozen=True):
    """`owner` digests the login it belongs to, `caller` names who asked; times are Unix seconds.

    It may be deleted from `due` on, unless it is in use. `turns` counts the answers that came to a good end.
    """

    id: str
    assistant_id: str
    owner: str
    caller: str
    created: float = 0.0
    last_used: float = 0.0
    due: float = 0.0
    attempts: int = 0
    turns: int = 0


class Ledger:
    """Thread-safe. A conversation in use is never due, and one that is being deleted is not used any more."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()  # guards what follows
        self._in_use: Counter[str] = Counter()
        self._claimed: set[str] = set()

    @property
    def in_use(self) -> int:
        """How many uses have begun and not ended."""
        return self._in_use.total()

    def begin(
        self, conversation: Conversation, *, is_new: bool = False, goes_on_from: int | None = None
    ) -> int:
        """Record a conversation that is being used; `due` counts if this process ends before `end`.

        Returns how many answers it has had: none where it `is_new`, which the upstream has just named.
        Raises ConversationNotFound where it is being deleted, and AnswerNotHeld where it has had another
        number of them than it `goes_on_from`.
        """
        with self._lock:
            if conversation.id in self._claimed:
                raise _refuse(BEING_DELETED, goes_on_from)
            self._in_use[conversation.id] += 1
        try:
            turns = 0 if is_new else self._count_turns(conversation.id)
            if goes_on_from not in (None, turns):
                raise _refuse(NOT_LATEST, goes_on_from)
            self._record(conversation)
            return turns
        except BaseException:
            self._leave(conversation.id)
            raise

    def _count_turns(self, conversation_id: str) -> int:
        known = self.get(conversation_id)
        return known.turns if known else 0

    def _record(self, conversation: Conversation) -> None:
        self._state.run(
            f"INSERT INTO conversation ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)"  # noqa: S608
            " ON CONFLICT (id) DO UPDATE"
            " SET due = excluded.due, last_used = excluded.last_used, attempts = 0",
            conversation.id,
            conversation.assistant_id,
            conversation.owner,
            conversation.caller,
            conversation.created,
            conversation.last_used,
            conversation.due,
        )

    def end(self, conversation_id: str, *, now: float, due: float, is_answered: bool = False) -> None:
        """The use that `begin` recorded is over."""
        try:
            self._state.run(
                "UPDATE conversation SET due = ?, last_used = ?, turns = turns + ? WHERE id = ?",
                due,
                now,
                int(is_answered),
                conversation_id,
            )
        finally:
            self._leave(conversation_id)

    def _leave(self, conversation_id: str) -> None:
        with self._lock:
            self._in_use[conversation_id] -= 1
            if self._in_use[conversation_id] <= 0:
                del self._in_use[conversation_id]

    def claim(self, conversation_id: str) -> bool:
        """Reserve a conversation for its deletion, until `unclaim`; False where it is in use or taken."""
        with self._lock:
            if self._is_taken(conversation_id):
                return False
            self._claimed.add(conversation_id)
            return True

    def unclaim(self, conversation_id: str) -> None:
        with self._lock:
            self._claimed.discard(conversation_id)

    def is_in_use(self, conversation_id: str) -> bool:
        return conversation_id in self._in_use

    def _is_taken(self, conversation_id: str) -> bool:
        """In use, or claimed for its deletion."""
        return self.is_in_use(conversation_id) or conversation_id in self._claimed

    def get(self, conversation_id: str) -> Conversation | None:
        found = self._select("WHERE id = ?", conversation_id)
        return found[0] if found else None

    def list_kept(self, owners: Sequence[str], caller: str, now: float) -> list[Conversation]:
        """The caller's conversations that can still be continued, the newest first."""
        condition = (
            "WHERE owner IN (SELECT value FROM json_each(?)) AND caller = ? ORDER BY created DESC LIMIT ?"
        )
        found = self._select(condition, json.dumps(list(owners)), caller, _MAX_LISTED)
        return [kept for kept in found if kept.due > now or self.is_in_use(kept.id)]

    def list_owners_due(self, owners: Sequence[str], now: float) -> list[str]:
        """Those of `owners` with something to delete now."""
        statement = (
            "SELECT DISTINCT owner FROM conversation"
            " WHERE due <= ? AND owner IN (SELECT value FROM json_each(?))"
        )
        return [owner for (owner,) in self._state.run(statement, now, json.dumps(list(owners)))]

    def first_due(self, owner: str, now: float) -> Conversation | None:
        """The longest due conversation of `owner` that is not taken, None when there is none."""
        due, first = "WHERE owner = ? AND due <= ?", "ORDER BY due LIMIT 1"
        found = self._select(f"{due} {first}", owner, now)
        if found and self._is_taken(found[0].id):  # seldom: only now those of all owners are listed
            with self._lock:
                taken = json.dumps([*self._in_use, *self._claimed])
            free = "AND id NOT IN (SELECT value FROM json_each(?))"
            found = self._select(f"{due} {free} {first}", owner, now, taken)
        return found[0] if found else None

    def next_due(self, now: float) -> float | None:
        """When the next one after `now` falls due; None when there is none."""
        ((due,),) = self._state.run("SELECT min(due) FROM conversation WHERE due > ?", now)
        return None if due is None else float(due)

    def count(self) -> int:
        ((count,),) = self._state.run("SELECT count(*) FROM conversation")
        return int(count)

    def count_overdue(self, now: float) -> int:
        """How many should be gone, those too whose deletion failed and is to be tried again later."""
        statement = (
            "SELECT count(*) FROM conversation WHERE (due <= ? OR attempts > 0)"
            " AND id NOT IN (SELECT value FROM json_each(?))"
        )
        ((count,),) = self._state.run(statement, now, json.dumps(list(self._in_use)))
        return int(count)

    def postpone(self, conversation_id: str, due: float, attempts: int = 0) -> None:
        self._state.run(
            "UPDATE conversation SET due = ?, attempts = ? WHERE id = ?", due, attempts, conversation_id
        )

    def adopt(self, former: str, owner: str) -> None:
        """The conversations of `former` belong to `owner` from now on."""
        self._state.run("UPDATE conversation SET owner = ? WHERE owner = ?", owner, former)

    def forget(self, conversation_id: str) -> None:
        self._state.run("DELETE FROM conversation WHERE id = ?", conversation_id)

    def _select(self, condition: str, *values: Any) -> list[Conversation]:
        rows = self._state.run(f"SELECT {_COLUMNS} FROM conversation {condition}", *values)  # noqa: S608
        return [Conversation(*row) for row in rows]


def _refuse(said: Message, goes_on_from: int | None) -> GatewayError:
    if goes_on_from is None:
        return ConversationNotFound(said, param="conversation_id")
    return AnswerNotHeld(said, param="previous_response_id")
