"""Which login an account turned out to be, kept so that its conversations find it after a restart."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.state import State

_FORGET_AFTER_SECONDS = (180 + 30) * 86400.0  # a refresh token lives 180 days


class Logins:
    """account key -> owner. Only digests. Thread-safe."""

    def __init__(self, state: State, clock: Callable[[], float] = time.time) -> None:
        self._state = state
        self._clock = clock

    def get(self, account: str) -> str | None:
        rows = self._state.run("SELECT owner FROM login WHERE account = ?", account)
        return rows[0][0] if rows else None

    def put(self, account: str, owner: str) -> None:
        self._state.run(
            "INSERT INTO login (account, owner, last_used) VALUES (?, ?, ?)"
            " ON CONFLICT (account) DO UPDATE SET owner = excluded.owner, last_used = excluded.last_used",
            account,
            owner,
            self._clock(),
        )

    def forget_unused(self, now: float) -> None:
        """Remove what was not learnt anew for longer than a refresh token lives. `now` must be sure."""
        self._state.run("DELETE FROM login WHERE last_used < ?", now - _FORGET_AFTER_SECONDS)
