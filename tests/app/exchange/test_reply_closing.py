"""What a reply gives back, in which order, and what stops nobody from having it."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn
from weakref import ref

import gevent
import pytest

from app.core.errors import CutAnswer, GatewayError, UpstreamTimeout, UpstreamUnreachable
from app.core.event import TextDelta
from app.exchange import reply as module
from app.exchange.delivered_text import DeliveredText
from app.exchange.healing import Healing
from app.exchange.reply import Reply
from app.metrics.counters import Counters
from app.upstream.stream import AnswerStream
from tests.app.exchange.script import EMPTY, FINISHED, STARTED, Rig, Step

A, B = TextDelta("a"), TextDelta("b")
CUT = CutAnswer("The upstream's answer ended before it was finished.")


def test_a_finished_answer_is_given_back() -> None:
    rig = Rig([STARTED, A, FINISHED])
    rig.commit()
    rig.play()
    assert rig.close() == ["stream closed", "delivered", "released ok"]
    assert rig.close() == []


def test_an_answer_that_is_left_is_stopped_before_its_account_is_free() -> None:
    rig = Rig([STARTED, A], 1.0, B)
    rig.commit()
    assert rig.close() == ["stream closed", "stopped b", "delivered", "released abandoned"]


def test_an_answer_that_is_left_before_its_commit_point_was_not_delivered() -> None:
    """The opener has the lease."""
    rig = Rig(STARTED, 60.0)
    rig.reply.wait_first_event(rig.begun_at + 1)
    assert rig.close() == ["stream closed", "stopped b", "not delivered"]


@pytest.mark.parametrize(
    ("steps", "closing"),
    [
        ([60.0], ["stream closed", "stopped b", "delivered", "released unreachable by upstream_timeout"]),
        ([CUT], ["stream closed", "delivered", "released unreachable by answer_cut"]),
    ],
)
def test_an_answer_that_failed_is_stopped_where_the_upstream_may_still_make_it(
    steps: list[Step], closing: list[str]
) -> None:
    rig = Rig([STARTED, A], *steps)
    rig.commit()
    rig.play()
    assert rig.close() == closing


def test_an_answer_without_a_name_cannot_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NOTICE_SECONDS", 0.0)
    rig = Rig(EMPTY, 60.0)
    rig.commit()
    assert rig.close() == ["stream closed", "delivered", "released abandoned"]


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [UpstreamUnreachable("It is away."), UpstreamTimeout("It is slow.")])
def test_an_upstream_that_does_not_stop_keeps_nobody(error: BaseException) -> None:
    rig = Rig([STARTED, A], stop=raising(error))
    rig.commit()
    assert rig.close()[-2:] == ["delivered", "released abandoned"]


def test_an_upstream_that_does_not_answer_keeps_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.01)
    rig = Rig([STARTED, A], stop=lambda: gevent.sleep(5))
    rig.commit()
    assert rig.close()[-2:] == ["delivered", "released abandoned"]


def test_the_account_of_a_client_that_left_is_free_within_a_second() -> None:
    assert module._STOP_SECONDS + module._GLANCE_SECONDS + module._NOTICE_SECONDS < 1


def test_a_mistake_of_ours_keeps_nobody_either() -> None:
    rig = Rig([STARTED, A], stop=raising(RuntimeError("a mistake")))
    rig.commit()
    with pytest.raises(RuntimeError):
        rig.close()
    assert rig.log[-2:] == ["delivered", "released abandoned"]


def test_a_committed_answer_is_stopped_in_the_background() -> None:
    may_stop = threading.Event()
    rig = Rig([STARTED, A], stop=lambda: may_stop.wait(5))
    rig.commit()
    rig.reply.close()
    assert not rig.is_free.is_set()
    may_stop.set()
    assert rig.is_free.wait(5)
    assert rig.log[-3:] == ["stopped b", "delivered", "released abandoned"]


@pytest.mark.parametrize("broken", ["stream", "use"])
def test_the_account_is_free_although_something_cannot_be_closed(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig([STARTED, A, FINISHED])
    rig.commit()
    rig.play()

    def fail(**_: object) -> None:
        raise OSError("it cannot be closed")

    thing, name = (rig.stream, "close") if broken == "stream" else (rig.reply._use, "end")
    monkeypatch.setattr(thing, name, fail)
    with pytest.raises(OSError, match="cannot be closed"):
        rig.close()
    assert rig.log[-1] == "released ok"


@pytest.mark.parametrize(
    "steps",
    [
        [[A, FINISHED]],
        [A, CUT],
        [CUT],
        [60.0],
        [A],
    ],
)
@pytest.mark.parametrize("heals", [True, False])
def test_what_is_over_is_gone_at_once(steps: list[Step], *, heals: bool) -> None:
    """Without a collection: of what is left of a long answer many would have to be kept until one."""
    gc.collect()
    gc.disable()
    try:
        reply, stream = _play_and_forget(steps, heals=heals)
        assert (reply(), stream()) == (None, None)
    finally:
        gc.enable()


def _note(_: Reply, text: str, told: str, turn: int) -> None:
    pass


def _refuse(_: AnswerStream) -> NoReturn:
    raise UpstreamUnreachable("away")


def _play_and_forget(steps: list[Step], *, heals: bool) -> tuple[ref[Any], ref[Any]]:
    healing = Healing(_refuse, Counters()) if heals else None
    own = [CutAnswer("cut") if step is CUT else step for step in steps]  # what failed holds frames
    rig = Rig(STARTED, *own, healing=healing)
    reply, stream = ref(rig.reply), ref(rig.stream)
    rig.reply.delivered = DeliveredText(partial(_note, rig.reply), is_held=True)
    with suppress(GatewayError):
        rig.commit()
        rig.play()
    rig.close()
    del rig.reply, rig.stream
    Rig.made.remove(rig)
    return reply, stream
