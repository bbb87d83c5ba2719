"""The tables, and what the promises are judged by."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from bench.analysis import Spread
from bench.measure import Measurement, hold_against_plain
from bench.process import ProgramFailed
from bench.report import build_report, format_number, summarise
from bench.scenario import CASES, choose_cases
from bench.target import TARGETS

STREAM50, SHORT16 = choose_cases(["stream50", "short16"], quick=False)
CPU = "cpu_ms_per_1000_chunks"


def test_runs_become_medians_and_failures_a_sum() -> None:
    runs = [Measurement(STREAM50, {CPU: cpu, "failed": 1}) for cpu in (170.0, 150.0, 200.0)]
    assert summarise(runs)["stream50"] == {CPU: Spread(170, 150, 200), "failed": Spread(3, 3, 3)}


def test_a_report_shows_what_failed_and_what_was_not_measured() -> None:
    measurement = Measurement(STREAM50, {CPU: 170.4, "failed": 2}, Counter({"no [DONE]": 2}))
    report = build_report([measurement], ["a machine"], targets=True)
    assert "| stream50 | 50 x 60, 20 ms | 2 | – | – | 170 | – |" in report
    assert "| CPU per 1,000 chunks, 50 streams | at most 180 ms | 170.40 | met |" in report
    assert "| start to first answer | at most 1 s | – | not measured |" in report
    assert "| stream50 | no [DONE] | 2 |" in report


def test_a_lower_bound_is_one() -> None:
    (rate,) = (target for target in TARGETS if target.at_least)
    assert [rate.judge(value) for value in (399.0, 400.0, math.nan)] == ["missed", "met", "not measured"]
    assert format_number(math.nan, 1) == "–"


def test_a_chunk_is_told_from_the_beginning_of_its_stream() -> None:
    """60 chunks for 9 ms and 300 for 21: 50 µs each behind a beginning of 6. The floor: 40 µs behind 3."""
    runs = []
    for name, ours, floor in (("stream50", 150.0, 90.0), ("latency50", 70.0, 50.0)):
        (case,) = choose_cases([name], quick=False)
        runs.append(Measurement(case, {CPU: ours, f"floor_{CPU}": floor}))
    (chunk,) = (target for target in TARGETS if target.text == "chunk at 50 streams")
    assert chunk.find(summarise(runs)) == pytest.approx(1.25)
    assert math.isnan(chunk.find(summarise(runs[:1])))


def test_tools_are_held_against_the_same_load_without_them() -> None:
    (case,) = choose_cases(["tools50"], quick=False)
    runs = []
    for cpu, plain in ((110.0, 100.0), (105.0, 100.0), (104.0, 100.0)):
        runs.append(Measurement(case, {CPU: cpu}))
        hold_against_plain(runs[-1], Measurement(case, {CPU: plain}))
    assert "| tools50 | 105 (104–110) | 100 | 1.05 (1.04–1.10) |" in build_report(runs, [], targets=False)
    with pytest.raises(ProgramFailed):
        hold_against_plain(runs[0], Measurement(case, {}, Counter({"no [DONE]": 1})))


def test_the_smaller_set_is_smaller() -> None:
    assert 0 < len(choose_cases([], quick=True)) < len(choose_cases([], quick=False)) == len(CASES)
    assert SHORT16.settings == {"GLM_CONVERSATION_TTL": "0"}
    assert SHORT16.relayed_chunks == 16 * 100 * 5
