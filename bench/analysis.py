"""From answers to figures: is every character there, and when did it come."""

from __future__ import annotations

import math
import re
import statistics
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from bench.answer import Answer, Kind, read_answer
from bench.framing import BrokenResponse, Reads, parse_response
from upstream_emulator.content import CORPUS

_STAMP = re.compile("⟦([0-9]+):([0-9]+)⟧")
_BYTES_PER_CHARACTER = 3
_MIN_QUARTERED = 4


class Spread(NamedTuple):
    """A figure over several runs: `low` and `high` are the quartiles, of less than four runs the bounds."""

    median: float
    low: float
    high: float


@dataclass(slots=True)
class Findings:
    """What a run of many answers showed. Times are milliseconds."""

    answers: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    """How many answers had which problem."""
    first_ms: list[float] = field(default_factory=list)
    """From connecting, or from asking on an open connection, to the first text."""
    latency_ms: list[float] = field(default_factory=list)
    """Of every piece: from the upstream's sending to the client's reading."""
    whole_ms: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Exchange:
    """One request and everything that was read for it. Moments are nanoseconds."""

    begun_at: int
    reads: Reads = field(default_factory=list)
    problem: str = ""


def analyse(exchanges: Iterable[Exchange], kind: Kind, chunks: int, piece_bytes: int) -> Findings:
    """Judge every exchange; those that failed add no times."""
    findings = Findings()
    for exchange in exchanges:
        findings.answers += 1
        problem = exchange.problem or _judge(exchange, kind, chunks, piece_bytes, findings)
        if problem:
            findings.failures[problem] = findings.failures.get(problem, 0) + 1
    return findings


def _judge(exchange: Exchange, kind: Kind, chunks: int, piece_bytes: int, findings: Findings) -> str:
    try:
        answer = read_answer(parse_response(exchange.reads), kind)
    except (BrokenResponse, ValueError, KeyError, IndexError, TypeError) as error:
        return f"unreadable: {type(error).__name__}"
    problem = find_problem(answer, chunks, piece_bytes)
    if not problem:
        findings.first_ms.append((answer.texts[0][0] - exchange.begun_at) / 1e6)
        findings.whole_ms.append((exchange.reads[-1][0] - exchange.begun_at) / 1e6)
        findings.latency_ms.extend(list_latencies(answer))
    return problem


def find_problem(answer: Answer, chunks: int, piece_bytes: int) -> str:
    """What is wrong with an answer, empty where every character is right and it ended well."""
    if answer.status != 200:
        return f"HTTP {answer.status}: {answer.error}"
    if answer.error:
        return f"error event: {answer.error}"
    stamps = _STAMP.findall(answer.text)
    if [int(sequence) for sequence, _ in stamps] != list(range(chunks)):
        return "pieces missing, doubled or out of order"
    if answer.text != build_text(stamps, piece_bytes):
        return "characters missing, doubled or changed"
    if answer.finish_reason != "stop":
        return f"finish_reason {answer.finish_reason}"
    return "" if answer.done else "no [DONE]"


def build_text(stamps: Sequence[tuple[str, str]], piece_bytes: int) -> str:
    """The text that the upstream must have sent: after each stamp the sample text goes on where it was."""
    pieces, position = [], 0
    for sequence, sent_at in stamps:
        stamp = f"⟦{sequence}:{sent_at}⟧"
        count = max((piece_bytes - len(stamp.encode())) // _BYTES_PER_CHARACTER, 1)
        pieces.append(stamp + (CORPUS * (2 + count // len(CORPUS)))[position : position + count])
        position = (position + count) % len(CORPUS)
    return "".join(pieces)


def list_latencies(answer: Answer) -> list[float]:
    """Milliseconds from each stamp to the reading of the text that holds its end."""
    starts = list(accumulate((len(text) for _, text in answer.texts), initial=0))
    latencies = []
    for stamp in _STAMP.finditer(answer.text):
        read_at = answer.texts[bisect_right(starts, stamp.end() - 1) - 1][0]
        latencies.append(round(read_at / 1e6 - int(stamp[2]) / 1e3, 3))
    return latencies


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all values do not exceed; NaN where there are none."""
    if not values:
        return math.nan
    rank = max(math.ceil(len(values) * percent / 100), 1)
    return sorted(values)[rank - 1]


def spread(values: Iterable[float]) -> Spread:
    """NaN where there is nothing."""
    known = sorted(value for value in values if not math.isnan(value))
    if not known:
        return Spread(math.nan, math.nan, math.nan)
    if len(known) < _MIN_QUARTERED:
        return Spread(statistics.median(known), known[0], known[-1])
    low, median, high = statistics.quantiles(known, n=4, method="inclusive")
    return Spread(median, low, high)
