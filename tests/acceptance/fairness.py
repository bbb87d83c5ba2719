"""Many clients over few accounts: who waited while something was free, and who was overtaken.

Everything is read from the outside. The upstream stamps each piece it sends with the machine's monotonic
clock, so the answers themselves tell when an account was busy; the clients tell when they came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bench.analysis import Exchange

_STAMP = re.compile("⟦[0-9]+:([0-9]+)⟧".encode())
_ID = re.compile(rb'"id": ?"([0-9a-f]{24})"')
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *([1-9][0-9]*)\r\n", re.IGNORECASE)
_DONE = b"data: [DONE]"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. Moments are seconds of the machine's clock; those of the answer are the upstream's."""

    line: frozenset[str]
    """The accounts that may answer it."""
    sent: float
    account: str = ""
    begun: float = 0.0
    ended: float = 0.0
    problem: str = ""


@dataclass(slots=True)
class Fairness:
    """What a crowd met; `waits_ms` are the times it waited although an account of its list was idle."""

    answers: int = 0
    refusals: int = 0
    problems: list[str] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)
    overtakings: list[tuple[Visit, Visit]] = field(default_factory=list)
    longest_wait_seconds: float = 0.0

    @property
    def worst_wait_ms(self) -> float:
        return max(self.waits_ms, default=0.0)


def read_visit(
    exchange: Exchange, line: frozenset[str], owners: Mapping[str, str], pace_seconds: float
) -> Visit:
    """`owners` names the account of every conversation. A proper refusal is a visit without an account."""
    sent = exchange.begun_at / 1e9
    raw = b"".join(data for _, data in exchange.reads)
    status = raw[9:12].decode("latin-1")
    if status == "429" and _RETRY_AFTER.search(raw.partition(b"\r\n\r\n")[0] + b"\r\n"):
        return Visit(line, sent)
    stamps = [int(stamp) / 1e6 for stamp in _STAMP.findall(raw)]
    found = _ID.search(raw)
    if exchange.problem or status != "200" or not found or not stamps or _DONE not in raw:
        return Visit(line, sent, problem=exchange.problem or f"HTTP {status}: {raw[-300:]!r}")
    account = owners.get(found[1].decode(), "")
    problem = "" if account in line else "answered by an account of somebody else"
    return Visit(line, sent, account, stamps[0] - pace_seconds, stamps[-1], problem)


def judge(visits: Sequence[Visit], tolerance_seconds: float) -> Fairness:
    """`tolerance_seconds`: who came this much later and was asked this much earlier has overtaken."""
    answered = [visit for visit in visits if visit.account]
    gaps = _find_gaps(answered)
    return Fairness(
        answers=len(answered),
        refusals=sum(not visit.account and not visit.problem for visit in visits),
        problems=[visit.problem for visit in visits if visit.problem],
        waits_ms=[_wasted_seconds(visit, gaps) * 1e3 for visit in answered],
        overtakings=_find_overtakings(answered, tolerance_seconds),
        longest_wait_seconds=max((visit.begun - visit.sent for visit in answered), default=0.0),
    )


def _find_gaps(answered: Iterable[Visit]) -> dict[str, list[tuple[float, float]]]:
    """When each account had nothing to answer, between its answers."""
    busy: dict[str, list[tuple[float, float]]] = {}
    for visit in answered:
        busy.setdefault(visit.account, []).append((visit.begun, visit.ended))
    return {
        account: [(one[1], next_one[0]) for one, next_one in pairwise(sorted(spans))]
        for account, spans in busy.items()
    }


def _wasted_seconds(visit: Visit, gaps: Mapping[str, Sequence[tuple[float, float]]]) -> float:
    """The longest time for which it waited beside one idle account of its list."""
    return max(
        (
            min(visit.begun, end) - max(visit.sent, start)
            for account in visit.line
            for start, end in gaps.get(account, ())
            if start < visit.begun and end > visit.sent
        ),
        default=0.0,
    )


def _find_overtakings(answered: Iterable[Visit], tolerance: float) -> list[tuple[Visit, Visit]]:
    """Pairs of one list in which the later one was asked first."""
    lines: dict[frozenset[str], list[Visit]] = {}
    for visit in answered:
        lines.setdefault(visit.line, []).append(visit)
    return [
        (early, late)
        for visits in lines.values()
        for early in visits
        for late in visits
        if late.sent > early.sent + tolerance and late.begun < early.begun - tolerance
    ]
