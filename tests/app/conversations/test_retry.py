"""A deletion that failed is tried again when its pause is over, not when somebody happens to look."""

from __future__ import annotations

import time

import pytest

from app.conversations import cleaner as module
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation, Ledger
from app.core.errors import UpstreamUnreachable
from app.state import MEMORY, open_state
from tests.eventually import eventually


def test_the_sleeping_cleaner_wakes_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.1)
    ledger, tried = Ledger(open_state(MEMORY)), list[float]()

    def delete(conversation: Conversation) -> None:
        tried.append(time.monotonic())
        if len(tried) < 3:
            raise UpstreamUnreachable("away")

    cleaner = Cleaner(ledger, delete, lambda: ["anna"])
    cleaner.start()
    ledger.begin(Conversation("c", "assistant", "anna", "", due=0.0))
    ledger.end("c", now=time.time(), due=time.time())
    cleaner.serve("anna")
    eventually(lambda: ledger.count() == 0)
    cleaner.stop(1)
    assert len(tried) == 3
    # It would look once a minute otherwise.
    assert 0.09 < tried[1] - tried[0] < 10
    assert 0.19 < tried[2] - tried[1] < 10
