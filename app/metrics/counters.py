"""What has happened since the start: plain numbers, counted where it happens, read by whoever wants to know.

A few additions a request and none a chunk. Every name that is counted comes from a list of our own - a route,
the code of an error - and never from a caller.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from app.core.errors import AccountExpired, GatewayError, Outcome

# In seconds. A first delta is due within GLM_START_SECONDS, a place in the queue within GLM_QUEUE_SECONDS.
_FIRST_DELTA_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 50.0)
_WAIT_BOUNDS = (0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)
_REQUEST_BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)

# What makes an account rest: the upstream's fault, or the account's own.
REASONS = tuple(reason for reason in Outcome if reason not in (Outcome.OK, Outcome.ABANDONED))

ANSWER_CHECKS = (
    "corrected",  # one more question brought what the request needs
    "malformed",  # a call that could not be read
    "unmet",  # no call where one was required
    "empty",  # thinking alone, or nothing
    "json_invalid",  # not the JSON that was asked for
    "coerced",  # a call's arguments got the types of their schema
    "not_fitting",  # a call whose arguments do not fit their schema, delivered as it is
    "undeclared",  # a call of something that is no tool, shown as text
)


class Distribution:
    """How many values lie up to each bound, and their sum."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """`bounds` ascend; what is above the last one is counted too."""
        self._bounds = (*bounds, math.inf)
        self._counts = [0] * len(self._bounds)
        self.total = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulate(self) -> list[tuple[float, int]]:
        """Each bound with the number of values up to it; the last bound is infinite."""
        count, found = 0, []
        for bound, here in zip(self._bounds, self._counts, strict=True):
            count += here
            found.append((bound, count))
        return found


class Counters:
    """Used by greenlets of one thread; nothing here waits."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        """(route, outcome) -> requests that are over."""
        self.request_seconds: dict[str, Distribution] = {}
        """By route."""
        self.first_delta_seconds = Distribution(_FIRST_DELTA_BOUNDS)
        self.frames = 0
        self.queue_seconds = Distribution(_WAIT_BOUNDS)
        # What may happen stands there from the beginning: from nothing to one is no increase to Prometheus.
        self.refreshes = Counter({"ok": 0, AccountExpired.code: 0})
        """By outcome: `ok`, or the code of an error."""
        self.cool_downs = Counter({reason.value: 0 for reason in REASONS})
        """By what made an account rest."""
        self.tool_calls: Counter[tuple[str, str]] = Counter()
        """(route, form) -> calls that clients got: out of `text`, `native` parts or `thinking`."""
        self.healings = Counter({"healed": 0, "failed": 0})
        """Answers that were cut and asked to go on, by what became of them."""
        self.answer_checks = Counter(dict.fromkeys(ANSWER_CHECKS, 0))
        """By what was found, or done about it."""
        self.upstream_errors = Counter(
            {kind.code: 0 for kind in _list_errors(GatewayError) if kind.outcome in REASONS}
        )
        """By code: what kept an account from answering, also where another account answered instead."""

    def note_request(
        self, route: str, outcome: str, seconds: float, first_delta_seconds: float | None, frames: int
    ) -> None:
        """A request is over."""
        self.requests[route, outcome] += 1
        if route not in self.request_seconds:
            self.request_seconds[route] = Distribution(_REQUEST_BOUNDS)
        self.request_seconds[route].add(seconds)
        if first_delta_seconds is not None:
            self.first_delta_seconds.add(first_delta_seconds)
        self.frames += frames

    def note_try(self, outcome: Outcome, error: GatewayError | None) -> None:
        """An account has answered, or has not; `outcome` is what its health learns from it."""
        if outcome in REASONS:
            self.cool_downs[outcome.value] += 1
            if error is not None:
                self.upstream_errors[error.code] += 1


class Readings(msgspec.Struct, frozen=True):
    """How things are at this moment, beside what the counters has counted."""

    open_streams: int
    queue_length: int
    accounts: Mapping[str, int]
    """By state."""
    undeleted: int
    overdue: int
    state_in_memory: bool
    """The state file does not say what the gateway knows: a restart would forget something."""

    unknown_contents: Mapping[tuple[str, str], int]
    """(what, name) -> how often the upstream sent it."""


def _list_errors(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _list_errors(child)
