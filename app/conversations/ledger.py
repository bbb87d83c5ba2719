"""What was left upstream: every conversation from the moment it has a name until it is deleted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from app.state import State


@dataclass(frozen=True, slots=True)
class Conversation:
    """`owner` is the key of the account it belongs to, `due` the Unix time from which it may be deleted."""

    id: str
    assistant_id: str
    owner: str
    due: float
    attempts: int = 0


class Ledger:
    """Thread-safe. A conversation in use is never due."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._in_use: Counter[str] = Counter()

    def begin(self, conversation: Conversation) -> None:
        """Record a conversation that is being used; `due` counts if this process ends before `end`."""
        self._in_use[conversation.id] += 1
        with self._state.use() as database:
            database.execute(
                "INSERT INTO conversation (id, assistant_id, owner, due) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET due = excluded.due, attempts = 0",
                (conversation.id, conversation.assistant_id, conversation.owner, conversation.due),
            )

    def end(self, conversation_id: str, due: float) -> None:
        """The use that `begin` recorded is over."""
        self._in_use[conversation_id] -= 1
        if self._in_use[conversation_id] <= 0:
            del self._in_use[conversation_id]
        self.postpone(conversation_id, due)

    def get(self, conversation_id: str) -> Conversation | None:
        found = self._select("WHERE id = ?", conversation_id)
        return found[0] if found else None

    def list_due(self, now: float) -> list[Conversation]:
        """Those to delete now, the longest due first."""
        return [
            conversation
            for conversation in self._select("WHERE due <= ? ORDER BY due", now)
            if conversation.id not in self._in_use
        ]

    def next_due(self, now: float) -> float | None:
        """When the next one after `now` falls due; None when there is none."""
        with self._state.use() as database:
            (due,) = database.execute("SELECT min(due) FROM conversation WHERE due > ?", (now,)).fetchone()
        return None if due is None else float(due)

    def count(self) -> int:
        with self._state.use() as database:
            return int(database.execute("SELECT count(*) FROM conversation").fetchone()[0])

    def postpone(self, conversation_id: str, due: float, attempts: int = 0) -> None:
        with self._state.use() as database:
            database.execute(
                "UPDATE conversation SET due = ?, attempts = ? WHERE id = ?", (due, attempts, conversation_id)
            )

    def forget(self, conversation_id: str) -> None:
        with self._state.use() as database:
            database.execute("DELETE FROM conversation WHERE id = ?", (conversation_id,))

    def _select(self, condition: str, *values: object) -> list[Conversation]:
        query = f"SELECT id, assistant_id, owner, due, attempts FROM conversation {condition}"  # noqa: S608
        with self._state.use() as database:
            return [Conversation(*row) for row in database.execute(query, values)]
