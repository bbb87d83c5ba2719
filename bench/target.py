"""What the gateway promises to reach, and whether these figures show it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.analysis import Spread
from bench.scenario import choose_cases

Summary = Mapping[str, Mapping[str, Spread]]
"""Figures by case and name."""

_SHORTER, _LONGER = choose_cases(["stream50", "latency50"], quick=False)


@dataclass(frozen=True, slots=True)
class Target:
    """A bound for the median of one figure: an upper one, or a lower one where `at_least` is set."""

    text: str
    bound: float
    unit: str
    find: Callable[[Summary], float]
    at_least: bool = False

    def judge(self, value: float) -> str:
        if math.isnan(value):
            return "not measured"
        return "met" if (value >= self.bound if self.at_least else value <= self.bound) else "missed"


def _median(case: str, name: str) -> Callable[[Summary], float]:
    return lambda summary: find_median(summary, case, name)


def find_median(summary: Summary, case: str, name: str) -> float:
    """NaN where it was not measured."""
    found = summary.get(case, {}).get(name)
    return found.median if found else math.nan


def _growth(summary: Summary) -> float:
    name = "cpu_ms_per_1000_chunks"
    return find_median(summary, "len1000", name) / find_median(summary, "len60", name)


def _one_chunk_more(summary: Summary) -> float:
    """What a chunk costs by which longer answers differ, in times of the floor's: streams begin alike."""

    def differ(name: str) -> float:
        longer, shorter = (
            find_median(summary, case.name, name) * case.chunks for case in (_LONGER, _SHORTER)
        )
        return longer - shorter

    return differ("cpu_ms_per_1000_chunks") / differ("floor_cpu_ms_per_1000_chunks")


def _idle(name: str) -> Callable[[Summary], float]:
    """Every case starts a gateway of its own; the worst of them counts."""
    return lambda summary: max(
        (case[name].median for case in summary.values() if name in case), default=math.nan
    )


TARGETS = (
    Target("CPU per 1,000 chunks, 200 streams", 150, "ms", _median("stream200", "cpu_ms_per_1000_chunks")),
    Target("CPU per 1,000 chunks, 50 streams", 180, "ms", _median("stream50", "cpu_ms_per_1000_chunks")),
    Target("CPU per chunk, 1,000-chunk answers to 60-chunk ones", 1.3, "times", _growth),
    Target("latency added, 50 streams, p50", 1.5, "ms", _median("latency50", "added_latency_p50")),
    Target("latency added, 50 streams, p99", 25, "ms", _median("latency50", "added_latency_p99")),
    Target("latency added, 500 open streams, p50", 2, "ms", _median("open500", "added_latency_p50")),
    Target("latency added, 500 open streams, p99", 30, "ms", _median("open500", "added_latency_p99")),
    Target("time to first chunk added, 50 streams, p95", 200, "ms", _median("stream50", "added_first_p95")),
    Target("time to first chunk added, 200 streams, p95", 600, "ms", _median("stream200", "added_first_p95")),
    Target("memory per open stream", 100, "KiB", _median("open500", "rss_per_stream")),
    Target("resident at idle", 95, "MiB", _idle("idle_rss")),
    Target("start to first answer", 1.0, "s", _idle("start_seconds")),
    Target("CPU per short answer, deletion included", 2.5, "ms", _median("short16", "cpu_ms_per_answer")),
    Target(
        "first chunk, 200 begun in 0.8 s, p95",
        1.3,
        "times floor",
        _median("begin200", "times_floor_first_p95"),
    ),
    Target("latency added, 500 begun in 2 s, p99", 25, "ms", _median("begin500", "added_latency_p99")),
    Target("CPU for 200 KB of history", 5, "ms", _median("history200k", "cpu_ms_for_history")),
    Target("CPU for 1 MB of history", 25, "ms", _median("history1m", "cpu_ms_for_history")),
    Target("chunk at 50 streams", 1.4, "times floor", _one_chunk_more),
    Target(
        "the same with its stream's beginning, answers of 300 chunks",
        1.4,
        "times floor",
        _median("latency50", "times_floor_cpu_ms_per_1000_chunks"),
    ),
    Target(
        "answers of 60 chunks", 1.4, "times floor", _median("stream50", "times_floor_cpu_ms_per_1000_chunks")
    ),
    Target("short answers", 400, "a second", _median("short16", "answers_per_second"), at_least=True),
)
