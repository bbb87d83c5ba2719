"""Conversations that a client may go on with by sending their history, found again by a digest of it."""

from __future__ import annotations

import threading
from collections import OrderedDict

import msgspec

_MAX_REMEMBERED = 10_000
"""Of histories: a conversation has one or two."""


class Continuable(msgspec.Struct, frozen=True):
    """Where a history stands upstream: after answer number `turn` of a conversation, held until `due`.

    `histories` are the digests of the forms in which it may come back. Times are Unix seconds.
    """

    histories: frozenset[str]
    conversation_id: str
    owner: str
    turn: int
    due: float
    is_held: bool
    """A client was told its id and may come back by it: it is deleted when it is due, not at a shutdown."""


class ContinuableConversations:
    """Thread-safe; nothing waits inside. A digest says whose history it is, so that no two callers share one.

    What is taken out is gone: a second request with the same history begins anew. A restart forgets all.
    """

    def __init__(self, max_remembered: int = _MAX_REMEMBERED) -> None:
        self._max_remembered = max_remembered
        self._lock = threading.Lock()
        self._by_history: OrderedDict[str, Continuable] = OrderedDict()  # the longest unused first

    def __len__(self) -> int:
        return len(self._by_history)

    def put(self, conversation: Continuable) -> list[Continuable]:
        """Returns what has to make room for it, which nobody can go on with any more."""
        with self._lock:
            found = [self._by_history.get(history) for history in conversation.histories]
            former = list(dict.fromkeys([one for one in found if one is not None]))
            for one in former:
                self._take_out(one)
            self._by_history.update(dict.fromkeys(conversation.histories, conversation))
            while len(self._by_history) > self._max_remembered:
                former.append(oldest := next(iter(self._by_history.values())))
                self._take_out(oldest)
            return former

    def take(self, history: str, now: float) -> Continuable | None:
        """The conversation with this history, unless it is due."""
        with self._lock:
            found = self._by_history.get(history)
            if found is None:
                return None
            self._take_out(found)
            return found if found.due > now else None

    def take_all(self) -> list[Continuable]:
        with self._lock:
            found = list(dict.fromkeys(self._by_history.values()))
            self._by_history.clear()
            return found

    def _take_out(self, conversation: Continuable) -> None:
        for history in conversation.histories:
            self._by_history.pop(history, None)
