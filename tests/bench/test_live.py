"""The whole way once, with the smallest load there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.measure import measure_case
from bench.place import Gateway, Upstream, attach_gateway, start_gateway, start_upstream
from bench.process import ProgramFailed
from bench.report import build_report
from bench.scenario import Case
from bench.turns import measure_turns

TINY = Case("tiny", 2, chunks=5, pace_ms=5, arrival_seconds=0.02)
SHORT = Case("short", 2, chunks=3, pace_ms=0, arrival_seconds=0, rounds=3, streamed=False, direct=False)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with start_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(upstream: Upstream) -> Iterator[Gateway]:
    with start_gateway(upstream, "demo-b{n}", "glm", SHORT.settings) as gateway:
        yield gateway


def test_streams(upstream: Upstream, gateway: Gateway) -> None:
    measurement = measure_case(TINY, gateway, upstream)
    figures = measurement.figures
    assert not measurement.failures
    assert figures["direct_latency_p50"] > 0
    assert figures["latency_p50"] > 0
    assert figures["first_p95"] > TINY.pace_ms
    assert figures["cpu_ms_per_1000_chunks"] > 0
    assert figures["idle_rss"] > figures["idle_pss"] > 0
    assert figures["upstream_calls"] >= TINY.streams


def test_short_answers(upstream: Upstream, gateway: Gateway) -> None:
    measurement = measure_case(SHORT, gateway, upstream)
    assert not measurement.failures
    assert measurement.figures["answers_per_second"] > 0
    assert measurement.figures["undeleted"] == 0
    assert measurement.figures["upstream_calls"] == 2 * SHORT.answers


def test_a_gateway_that_does_not_answer_cannot_be_measured(upstream: Upstream, gateway: Gateway) -> None:
    with pytest.raises(ProgramFailed, match="HTTP 401"):
        attach_gateway(gateway.url, 1, "dead-{n}", "glm")


def test_the_last_turn_of_a_chat() -> None:
    """What goes on sends the last turn alone, what begins anew all of them."""
    case = Case("turns", 1, chunks=3, pace_ms=0, arrival_seconds=0, rounds=2, direct=False, turns=3)
    measurement = measure_turns(case, "demo-b{n}", "glm")
    figures = measurement.figures
    assert not measurement.failures
    assert figures["first_ms"] > 0 < figures["anew_first_ms"]
    assert len(case.message) < figures["bytes"] < figures["anew_bytes"] - 2 * len(case.message)
    report = build_report([measurement], [], targets=False)
    assert f"| turns (2 pairs) | 0 | {figures['bytes']:.0f} | {figures['anew_bytes']:.0f} |" in report
