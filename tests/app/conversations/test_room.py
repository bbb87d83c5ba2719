"""How many owners the cleaner serves at a time, and that each who is served makes room for another one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.conversations import cleaner as module
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation, Ledger
from app.state import MEMORY, open_state
from tests.eventually import eventually


@contextmanager
def clean(delete: Callable[[Conversation], None], owners: list[str]) -> Iterator[Cleaner]:
    """A cleaner with one due conversation an owner, called as its owner is."""
    ledger = Ledger(open_state(MEMORY))
    cleaner = Cleaner(ledger, delete, lambda: owners)
    for owner in owners:
        ledger.begin(Conversation(owner, "assistant", owner, ""))
        ledger.end(owner, now=0.0, due=0.0)
    cleaner.start()
    try:
        yield cleaner
    finally:
        cleaner.stop(1)


def test_so_many_owners_are_served_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait, and every one has its turn."""
    monkeypatch.setattr(module, "_AT_A_TIME", 2)
    gate, lock, counts = threading.Event(), threading.Lock(), [0]

    def delete(conversation: Conversation) -> None:
        with lock:
            counts.append(counts[-1] + 1)
        gate.wait(20)
        with lock:
            counts.append(counts[-1] - 1)

    with clean(delete, [f"owner-{number}" for number in range(7)]) as cleaner:
        eventually(lambda: (counts[-1], len(cleaner._waiting)) == (2, 5))
        gate.set()
        eventually(lambda: cleaner.ledger.count() == 0)
    assert max(counts) == 2


def test_one_that_fails_unexpectedly_makes_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_AT_A_TIME", 1)
    tried: list[str] = []

    def delete(conversation: Conversation) -> None:
        tried.append(conversation.id)
        if conversation.owner == "anna":
            raise RuntimeError("a mistake")

    with clean(delete, ["anna", "bert"]) as cleaner:
        eventually(lambda: set(tried) == {"anna", "bert"} and cleaner.ledger.get("bert") is None)
        assert cleaner.ledger.get("anna") is not None
        eventually(lambda: "unexpected failure in the background" in caplog.text)
