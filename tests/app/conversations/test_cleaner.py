"""What is due is deleted, in order, again where that failed, and never while it is used."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from app.conversations import cleaner as module
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation, Ledger
from app.conversations.use import ConversationUse
from app.core.errors import UpstreamUnreachable
from app.state import MEMORY, open_state
from tests.clock import Clock
from tests.eventually import eventually


class Rig:
    """A cleaner whose upstream is a list."""

    def __init__(self) -> None:
        self.clock = Clock(1_000_000.0)
        self.ledger = Ledger(open_state(MEMORY))
        self.owners = ["anna", "bert"]
        self.deleted: list[str] = []
        self.failing = False
        self.at_once = 0
        self.cleaner = Cleaner(self.ledger, self._delete, lambda: self.owners, self.clock)

    def _delete(self, conversation: Conversation) -> None:
        self.at_once += 1
        assert self.at_once == 1 or conversation.owner != "anna"
        if self.failing:
            self.at_once -= 1
            raise UpstreamUnreachable("away")
        self.deleted.append(conversation.id)
        self.at_once -= 1

    def use(self, owner: str = "anna", *, keep: float = 0.0, continues: str = "") -> ConversationUse:
        conversation = Conversation(continues, "assistant", owner, "")
        return ConversationUse(self.ledger, self.cleaner, conversation, keep, self.clock)

    def answer(self, name: str, *, owner: str = "anna", keep: float = 0.0, delivered: bool = True) -> None:
        use = self.use(owner, keep=keep)
        use.begin(name)
        use.begin(name)
        use.end(delivered=delivered)
        use.end(delivered=delivered)


@pytest.fixture
def idle() -> Rig:
    """Its cleaner is not started."""
    return Rig()


@pytest.fixture
def rig(idle: Rig) -> Iterator[Rig]:
    idle.cleaner.start()
    yield idle
    idle.cleaner.stop(1)


def test_due_ones_go_at_once_and_in_order(rig: Rig) -> None:
    for name in ("a", "b", "c"):
        rig.answer(name)
    eventually(lambda: rig.deleted == ["a", "b", "c"])
    eventually(lambda: rig.ledger.count() == 0)


def test_kept_ones_go_when_their_time_has_come(rig: Rig) -> None:
    rig.answer("kept", keep=600)
    assert [kept.id for kept in rig.ledger.list_kept(["anna"], "", rig.clock.now)] == ["kept"]
    assert rig.ledger.next_due(rig.clock.now) == rig.clock.now + 600
    rig.clock.now += 601
    rig.cleaner.wake()
    eventually(lambda: rig.deleted == ["kept"])
    rig.cleaner.stop(1)


def test_one_that_falls_due_between_two_looks_is_not_overlooked(
    idle: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_owners_due = idle.ledger.list_owners_due

    def look_and_dawdle(owners: Sequence[str], now: float) -> list[str]:
        found = list_owners_due(owners, now)
        idle.clock.now = max(idle.clock.now, 1_000_010.0)
        return found

    monkeypatch.setattr(idle.ledger, "list_owners_due", look_and_dawdle)
    idle.answer("kept", keep=5)
    idle.cleaner.start()
    eventually(lambda: idle.deleted == ["kept"])
    idle.cleaner.stop(1)


def test_a_failed_new_one_goes_although_others_are_kept(rig: Rig) -> None:
    rig.answer("failed", keep=600, delivered=False)
    eventually(lambda: rig.deleted == ["failed"])


def test_a_failed_continuation_is_kept(rig: Rig) -> None:
    use = rig.use(keep=600, continues="old")
    use.begin("old")
    use.end(delivered=False)
    assert rig.ledger.first_due("anna", rig.clock.now) is None


def test_one_in_use_is_never_due(rig: Rig) -> None:
    use = rig.use()
    use.begin("used")
    assert rig.ledger.first_due("anna", rig.clock.now + 10_000) is None
    use.end(delivered=True)
    eventually(lambda: rig.deleted == ["used"])


def test_many_in_use_keep_no_other_from_being_deleted(rig: Rig) -> None:
    """Videos that are waited for: the account orders more of them than it could hold answers."""
    waiting = [rig.use() for _ in range(40)]
    for number, use in enumerate(waiting):
        use.begin(f"video-{number}")
    rig.clock.now += 1
    rig.answer("done")
    eventually(lambda: rig.deleted == ["done"])
    for use in waiting:
        use.end(delivered=True)
    eventually(lambda: rig.ledger.count() == 0)


def test_nothing_is_deleted_before_the_start(idle: Rig) -> None:
    """Accounts show up while the gateway is put together: that asks nobody anything yet."""
    idle.answer("early")
    assert not idle.cleaner._busy
    idle.cleaner.start()
    eventually(lambda: idle.deleted == ["early"])
    idle.cleaner.stop(1)


def test_what_is_noted_looks_at_nobody_else(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be thousands of accounts, and a note after each answer."""
    eventually(lambda: rig.cleaner._napping_until > rig.clock.now)
    looks: list[float] = []

    def look(owners: Sequence[str], now: float) -> list[str]:
        looks.append(now)
        return []

    monkeypatch.setattr(rig.ledger, "list_owners_due", look)
    for number in range(20):
        rig.answer(f"noted-{number}", owner=f"owner-{number}")
    eventually(lambda: len(rig.deleted) == 20)
    assert looks == []


def test_those_of_unknown_accounts_wait(rig: Rig) -> None:
    rig.ledger.begin(Conversation("left", "assistant", "carl", ""))
    rig.ledger.end("left", now=rig.clock.now, due=rig.clock.now)
    rig.answer("mine")
    eventually(lambda: rig.deleted == ["mine"])
    rig.owners.append("carl")
    rig.cleaner.wake()
    eventually(lambda: rig.deleted == ["mine", "left"])
    rig.cleaner.stop(1)


def test_a_failure_is_tried_again_later(rig: Rig) -> None:
    rig.failing = True
    rig.answer("stubborn")
    eventually(lambda: (kept := rig.ledger.get("stubborn")) is not None and kept.attempts == 1)
    kept = rig.ledger.get("stubborn")
    assert kept is not None
    assert kept.due > rig.clock.now
    rig.failing = False
    rig.clock.now = kept.due
    rig.cleaner.serve("anna")
    eventually(lambda: rig.deleted == ["stubborn"])


def fail_until_given_up(rig: Rig, attempts: int) -> float:
    """How many seconds of trying were left after so many attempts."""
    rig.failing = True
    rig.ledger.begin(Conversation("hopeless", "assistant", "anna", ""))
    rig.ledger.end("hopeless", now=rig.clock.now, due=rig.clock.now)
    rig.ledger.postpone("hopeless", rig.clock.now, attempts)
    begun = rig.clock.now
    while (kept := rig.ledger.get("hopeless")) is not None:
        rig.clock.now = max(rig.clock.now, kept.due)
        rig.cleaner._clean("anna")
    return rig.clock.now - begun


def test_it_gives_up_after_days(idle: Rig, caplog: pytest.LogCaptureFixture) -> None:
    assert 4.5 < fail_until_given_up(idle, attempts=0) / 86400 < 5.5
    assert idle.deleted == []
    assert "giving up on deleting conversation hopeless" in caplog.text


def test_a_long_sleep_is_no_reason_to_give_up(idle: Rig) -> None:
    """Of the machine or of the clock's battery: the first failure afterwards is the first one."""
    idle.failing = True
    idle.answer("old", keep=60)
    idle.clock.now += 400 * 86400
    idle.cleaner._clean("anna")
    kept = idle.ledger.get("old")
    assert kept is not None
    assert kept.attempts == 1


def test_a_clock_that_goes_back_keeps_nothing_from_being_deleted(
    idle: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is late by as much, and what is used meanwhile stays."""
    monkeypatch.setattr(module, "_MAX_NAP_SECONDS", 0.02)
    used = idle.use(keep=60)
    used.begin("used")
    idle.answer("kept", keep=60)
    idle.cleaner.start()
    idle.clock.now -= 3600
    idle.answer("at once")
    eventually(lambda: idle.deleted == ["at once"] and not idle.cleaner._busy)
    idle.clock.now += 3600 + 61
    eventually(lambda: idle.deleted == ["at once", "kept"])
    used.end(delivered=True)
    idle.cleaner.stop(1)


def test_a_backlog_is_no_burst(rig: Rig) -> None:
    """What is long due is deleted one by one with pauses; other accounts do not wait for it."""
    for name in ("a", "b"):
        rig.ledger.begin(Conversation(name, "assistant", "anna", ""))
        rig.ledger.end(name, now=rig.clock.now, due=rig.clock.now - 1000)
    rig.cleaner.serve("anna")
    eventually(lambda: rig.deleted == ["a"])
    rig.cleaner.serve("anna")
    rig.answer("c", owner="bert")
    eventually(lambda: rig.deleted == ["a", "c"])
    rig.clock.now += module._BACKLOG_PAUSE_SECONDS
    rig.cleaner.serve("anna")
    eventually(lambda: rig.deleted == ["a", "c", "b"])


def test_stopping_deletes_what_is_due_within_its_time(rig: Rig) -> None:
    gate = threading.Event()
    delete = rig._delete
    rig.cleaner._delete = lambda conversation: (gate.wait(5), delete(conversation))[1]
    rig.answer("slow")
    threading.Timer(0.05, gate.set).start()
    rig.cleaner.stop(5)
    assert rig.deleted == ["slow"]


def test_when_it_has_stopped_nothing_looks_into_the_ledger(idle: Rig) -> None:
    idle.cleaner.start()
    idle.cleaner.stop(0)
    assert not idle.cleaner._thread.is_alive()
    idle.ledger._state.close()
    idle.cleaner.wake()
    idle.cleaner.serve("anna")


def test_callers_do_not_see_each_other() -> None:
    ledger = Ledger(open_state(MEMORY))
    for caller in ("x", "y"):
        ledger.begin(Conversation(f"of-{caller}", "assistant", "anna", caller))
    assert [kept.id for kept in ledger.list_kept(["anna"], "x", 0)] == ["of-x"]
    assert ledger.list_kept(["bert"], "x", 0) == []
