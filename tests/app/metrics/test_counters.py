"""What is counted where: requests, tries, waiting."""

from __future__ import annotations

import math

from app.accounts.account import _COOL_DOWN_SECONDS
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.core.errors import AccountExpired, Outcome, UpstreamBusy
from app.metrics.counters import REASONS, Counters, Distribution
from app.state import MEMORY, open_state


def test_a_value_counts_up_to_its_bound_and_beyond() -> None:
    distribution = Distribution((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 99.0):
        distribution.add(value)
    assert distribution.cumulate() == [(1.0, 2), (2.0, 3), (math.inf, 4)]
    assert distribution.total == 102.0


def test_a_request_is_counted_once_by_route_and_outcome() -> None:
    counters = Counters()
    counters.note_request("/a", "ok", 2.0, 0.2, 20)
    counters.note_request("/a", "upstream_busy", 0.01, None, 0)
    assert counters.requests == {("/a", "ok"): 1, ("/a", "upstream_busy"): 1}
    assert counters.request_seconds["/a"].cumulate()[-1] == (math.inf, 2)
    assert counters.first_delta_seconds.cumulate()[-1] == (math.inf, 1)
    assert counters.frames == 20


def test_the_reasons_are_those_that_make_an_account_rest() -> None:
    assert set(REASONS) == set(_COOL_DOWN_SECONDS)
    assert set(Counters().cool_downs) == {reason.value for reason in REASONS}


def test_the_pool_counts_tries_and_waiting() -> None:
    counters = Counters()
    pool = AccountPool(Logins(open_state(MEMORY)), counters=counters)
    (account,) = pool.get_or_add(["one"])
    pool.acquire([account], wait_seconds=0).release(Outcome.OK)
    pool.acquire([account], wait_seconds=0).release(Outcome.ABANDONED)
    assert not counters.upstream_errors.total()
    pool.acquire([account], wait_seconds=0).release(Outcome.UNREACHABLE, UpstreamBusy("no"))
    pool.cool(account, Outcome.REJECTED, AccountExpired("no"))
    assert +counters.upstream_errors == {"upstream_busy": 1, "account_expired": 1}
    assert +counters.cool_downs == {"unreachable": 1, "rejected": 1}
    assert counters.queue_seconds.cumulate()[-1] == (math.inf, 3)
    assert pool.count_states() == {
        "ready": 0, "answering": 0, "cooling": 0, "expired": 1, "blocked": 0, "unknown": 0
    }  # fmt: skip
