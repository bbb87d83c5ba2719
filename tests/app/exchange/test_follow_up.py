"""One more question of a reply's own: of whom it is asked, and what the account learns from its failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.event import ReplyFinished, TextDelta, ToolCalled
from app.core.tool import Tool, ToolChoice
from app.exchange.transforms.calls import CallOptions
from app.exchange.unusable import ToolCallMalformed
from app.metrics.counters import Counters
from app.tools.dialect import Dialect
from app.tools.name import Names
from tests.app.exchange.opening import Opening
from tests.app.exchange.script import FINISHED, STARTED

CALLS = CallOptions(Dialect("k3x9"), Names([Tool("now")]), ToolChoice(), "", Counters())
UNREADABLE = TextDelta('<call-k3x9 name="now">{"a": oops}</call-k3x9> and on')
READABLE = TextDelta('<call-k3x9 name="now">{}</call-k3x9>')


@pytest.fixture
def rig() -> Iterator[Opening]:
    rig = Opening()
    yield rig
    rig.close()
    assert (rig.pool.leased, rig.ledger.in_use) == (0, 0)


def list_asked(rig: Opening) -> str:
    return "".join(line[0] for line in rig.asked)


def test_it_is_asked_of_the_same_account(rig: Opening) -> None:
    rig.script("a", STARTED, UNREADABLE, 60.0)
    rig.script("a", STARTED, READABLE, FINISHED)
    reply = rig.open("a", "b", calls=CALLS)
    heard = []
    while not reply.finished:
        heard += reply.read() or []
    assert [type(event) for event in heard] == [ToolCalled, ReplyFinished]
    assert list_asked(rig) == "aa"
    assert "unreadable" in rig.asked[1]


def test_a_call_that_stays_unreadable_is_no_matter_of_the_account(rig: Opening) -> None:
    for _ in range(2):
        rig.script("a", STARTED, UNREADABLE, FINISHED)
    with pytest.raises(ToolCallMalformed):
        rig.open("a", "b", calls=CALLS)
    assert list_asked(rig) == "aa"
    rig.script("a", STARTED, READABLE, FINISHED)
    rig.open("a", calls=CALLS)  # it does not rest


def test_an_empty_answer_before_the_commit_point_is_another_accounts(rig: Opening) -> None:
    rig.script("a", STARTED, FINISHED)
    rig.script("b", STARTED, READABLE, FINISHED)
    rig.open("a", "b", calls=CALLS)
    assert list_asked(rig) == "ab"
