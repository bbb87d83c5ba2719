"""Figures as Markdown tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bench.analysis import Spread, spread
from bench.measure import Measurement
from bench.scenario import Case
from bench.target import TARGETS, Summary

Row = Sequence[str]
_LATENCY = ("latency_p50", "latency_p95", "latency_p99")


def build_report(measurements: Sequence[Measurement], notes: Sequence[str], *, targets: bool) -> str:
    """Everything that was measured; `notes` say on what machine and how."""
    measured = list(dict.fromkeys(measurement.case for measurement in measurements))
    cases = [case for case in measured if not case.turns]
    streams = [case for case in cases if case.streamed]
    summary = summarise(measurements)
    sections = [
        "# Measured",
        "\n".join(f"- {note}" for note in notes),
        _build_streams(streams, summary),
        _build_latency(streams, summary),
        _build_begun([case for case in streams if case.floor], summary),
        _build_short([case for case in cases if not case.streamed], summary),
        _build_tools([case for case in streams if case.offers_tools], summary),
        _build_histories([case for case in cases if case.history_bytes], summary),
        _build_turns([case for case in measured if case.turns], summary),
        _build_memory(streams, summary),
        _build_busy(cases, summary),
        _build_targets(summary) if targets else "",
        _build_failures(measurements),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def summarise(measurements: Iterable[Measurement]) -> dict[str, dict[str, Spread]]:
    """Every figure of every case as the median of its runs; of failures and the undeleted, the sum."""
    values: dict[str, dict[str, list[float]]] = {}
    for measurement in measurements:
        for name, value in measurement.figures.items():
            values.setdefault(measurement.case.name, {}).setdefault(name, []).append(value)
    return {
        case: {name: spread([sum(runs)] if name == "failed" else runs) for name, runs in figures.items()}
        for case, figures in values.items()
    }


def _build_streams(cases: Sequence[Case], summary: Summary) -> str:
    head = (
        "case",
        "streams x chunks, pace",
        "failed",
        "first chunk p50 / p95, ms",
        "direct p50 / p95, ms",
        "CPU ms per 1,000 chunks",
        "floor",
        "times floor",
        "connects / calls upstream",
    )
    rows = [
        (
            case.name,
            f"{case.streams} x {case.chunks}, {case.pace_ms} ms",
            _whole(summary, case, "failed"),
            _joined(summary, case, "first_p50", "first_p95", digits=0),
            _joined(summary, case, "direct_first_p50", "direct_first_p95", digits=0),
            _ranged(summary, case, "cpu_ms_per_1000_chunks", 0),
            _ranged(summary, case, "floor_cpu_ms_per_1000_chunks", 0),
            _ranged(summary, case, "times_floor_cpu_ms_per_1000_chunks", 1),
            _joined(summary, case, "upstream_connects", "upstream_calls", digits=0),
        )
        for case in cases
    ]
    return _table("Streams", head, rows)


def _build_latency(cases: Sequence[Case], summary: Summary) -> str:
    head = ("case", "through the gateway", "direct", "added")
    rows = [
        (
            case.name,
            _joined(summary, case, *_LATENCY),
            _joined(summary, case, *(f"direct_{name}" for name in _LATENCY)),
            _joined(summary, case, *(f"added_{name}" for name in _LATENCY)),
        )
        for case in cases
    ]
    return _table("Latency per chunk, ms, p50 / p95 / p99", head, rows)


def _build_begun(cases: Sequence[Case], summary: Summary) -> str:
    head = (
        "case",
        "begun within, s",
        "first chunk p95, ms",
        "floor",
        "times floor",
        "latency p99 added, ms",
        "floor",
    )
    rows = [
        (
            case.name,
            f"{case.arrival_seconds:g}",
            _ranged(summary, case, "first_p95", 0),
            _ranged(summary, case, "floor_first_p95", 0),
            _ranged(summary, case, "times_floor_first_p95", 2),
            _ranged(summary, case, "added_latency_p99", 1),
            _ranged(summary, case, "floor_added_latency_p99", 1),
        )
        for case in cases
    ]
    return _table("Streams that begin, beside the floor under the same load", head, rows)


def _build_histories(cases: Sequence[Case], summary: Summary) -> str:
    head = ("case", "CPU ms each", "without the history", "for it", "longest wait of a /ping beside it, ms")
    names = ("cpu_ms_per_answer", "cpu_ms_without", "cpu_ms_for_history", "longest_wait_ms")
    rows = [(case.name, *(_ranged(summary, case, name, 1) for name in names)) for case in cases]
    return _table("Large histories, one at a time", head, rows)


def _build_turns(cases: Sequence[Case], summary: Summary) -> str:
    head = (
        "case",
        "failed",
        "bytes sent upstream",
        "begun anew",
        "first delta, ms",
        "begun anew",
        "saved, ms",
    )
    names = ("bytes", "anew_bytes", "first_ms", "anew_first_ms", "saved_ms")
    rows = [
        (
            f"{case.name} ({case.rounds} pairs)",
            _whole(summary, case, "failed"),
            *(_ranged(summary, case, name, 0 if name.endswith("bytes") else 1) for name in names),
        )
        for case in cases
    ]
    return _table("The last turn of a chat whose client sends its history", head, rows)


def _build_short(cases: Sequence[Case], summary: Summary) -> str:
    head = (
        "case",
        "answers",
        "failed",
        "a second",
        "CPU ms each",
        "floor",
        "times floor",
        "p50 / p99, ms",
        "deleted after, s",
        "connects / calls upstream",
    )
    rows = [
        (
            f"{case.name} ({case.streams} at a time)",
            str(case.answers),
            _whole(summary, case, "failed"),
            _ranged(summary, case, "answers_per_second", 0),
            _ranged(summary, case, "cpu_ms_per_answer", 2),
            _ranged(summary, case, "floor_cpu_ms_per_answer", 2),
            _ranged(summary, case, "times_floor_cpu_ms_per_answer", 1),
            _joined(summary, case, "whole_p50", "whole_p99"),
            _ranged(summary, case, "deletion_seconds", 1),
            _joined(summary, case, "upstream_connects", "upstream_calls", digits=0),
        )
        for case in cases
    ]
    return _table("Short answers, not streamed", head, rows)


def _build_tools(cases: Sequence[Case], summary: Summary) -> str:
    head = ("case", "CPU ms per 1,000 chunks", "without tools", "times")
    rows = [
        (
            case.name,
            _ranged(summary, case, "cpu_ms_per_1000_chunks", 0),
            _ranged(summary, case, "plain_cpu_ms_per_1000_chunks", 0),
            _ranged(summary, case, "times_plain_cpu_ms_per_1000_chunks", 2),
        )
        for case in cases
    ]
    return _table("Tools offered, none called", head, rows)


def _build_memory(cases: Sequence[Case], summary: Summary) -> str:
    head = (
        "case",
        "idle RSS / PSS, MiB",
        "peak RSS, MiB",
        "RSS per stream, KiB",
        "PSS per stream, KiB",
        "start to first answer, s",
    )
    rows = [
        (
            case.name,
            _joined(summary, case, "idle_rss", "idle_pss", digits=0),
            _ranged(summary, case, "peak_rss", 0),
            _ranged(summary, case, "rss_per_stream", 0),
            _ranged(summary, case, "pss_per_stream", 0),
            _ranged(summary, case, "start_seconds", 2),
        )
        for case in cases
    ]
    return _table("Memory and start", head, rows)


def _build_busy(cases: Sequence[Case], summary: Summary) -> str:
    names = ("gateway_busy", "upstream_busy", "load_busy", "others_busy")
    rows = [(case.name, *(_ranged(summary, case, name, 0) for name in names)) for case in cases]
    return _table(
        "Who was busy, percent of one core",
        ("case", "gateway", "upstream", "load generator", "anything else"),
        rows,
    )


def _build_targets(summary: Summary) -> str:
    rows = []
    for target in TARGETS:
        value = target.find(summary)
        bound = f"{'at least' if target.at_least else 'at most'} {target.bound:g} {target.unit}"
        rows.append((target.text, bound, format_number(value, 2), target.judge(value)))
    return _table("Targets (medians)", ("target", "bound", "measured", ""), rows)


def _build_failures(measurements: Iterable[Measurement]) -> str:
    found: Counter[tuple[str, str]] = Counter()
    for measurement in measurements:
        for problem, count in measurement.failures.items():
            found[measurement.case.name, problem] += count
    rows = [(case, problem, str(count)) for (case, problem), count in found.most_common(20)]
    return _table("Failures", ("case", "what went wrong", "answers"), rows)


def _table(title: str, head: Row, rows: Sequence[Row]) -> str:
    """Empty where there is nothing to show."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    body = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return f"## {title}\n\n{body}"


def format_number(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _find(summary: Summary, case: Case, name: str) -> Spread:
    figures: Mapping[str, Spread] = summary[case.name]
    return figures.get(name, Spread(math.nan, math.nan, math.nan))


def _whole(summary: Summary, case: Case, name: str) -> str:
    return format_number(_find(summary, case, name).median, 0)


def _ranged(summary: Summary, case: Case, name: str, digits: int) -> str:
    """The median, and the bounds where there was more than one value."""
    found = _find(summary, case, name)
    text = format_number(found.median, digits)
    if math.isnan(found.median) or found.low == found.high:
        return text
    return f"{text} ({format_number(found.low, digits)}–{format_number(found.high, digits)})"


def _joined(summary: Summary, case: Case, *names: str, digits: int = 1) -> str:
    medians = [_find(summary, case, name).median for name in names]
    return "–" if all(map(math.isnan, medians)) else " / ".join(format_number(one, digits) for one in medians)
