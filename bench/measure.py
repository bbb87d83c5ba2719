"""One case, once: warm up, load, and look at what it cost."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bench.analysis import percentile
from bench.answer import Kind
from bench.load import Lane, Plan, Report, parse_report
from bench.machine import busy_seconds
from bench.place import Gateway, Upstream, list_ping_waits
from bench.process import Memory, ProcessTree, Program, ProgramFailed
from bench.request import split_address
from bench.scenario import PIECE_BYTES, SHORT_CHUNKS, Case

Figures = dict[str, float]

_LATENCY = ("latency_p50", "latency_p95", "latency_p99")
_ANALYSIS_SECONDS = 120
_DELETION_SECONDS = 20
_MEBIBYTE = 1024 * 1024


@dataclass(slots=True)
class Measurement:
    """The figures of one run of one case, by name; what cannot be known is NaN or missing."""

    case: Case
    figures: Figures
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Watch:
    """What processes use between now and `stop`."""

    processes: ProcessTree | None
    samples_memory: bool = False
    peak: Memory = field(default_factory=Memory)
    cpu_seconds: float = math.nan
    _begun: dict[int, float] = field(default_factory=dict)

    def start(self) -> None:
        """Raises ProgramFailed where there is nothing to watch."""
        if self.processes:
            self._begun = self.processes.cpu_seconds()
            if not self._begun:
                raise ProgramFailed("the process to measure is not there")

    def tick(self) -> None:
        if self.processes and self.samples_memory:
            now = self.processes.memory()
            self.peak = Memory(max(self.peak.rss, now.rss), max(self.peak.pss, now.pss))

    def stop(self) -> None:
        """Of a process that died meanwhile nobody knows what it used: the sum stays unknown then."""
        now = self.processes.cpu_seconds() if self.processes else {}
        if now.keys() >= self._begun.keys() and now:
            self.cpu_seconds = sum(now.values()) - sum(self._begun.values())


def measure_case(case: Case, gateway: Gateway, upstream: Upstream | None) -> Measurement:
    """Raises ProgramFailed where the load generator itself does not get through, or the warming does not."""
    figures: Figures = {}
    if upstream and case.direct:
        figures |= {
            f"direct_{name}": value for name, value in _times(_measure_direct(case, upstream)).items()
        }
    kept = _count_undeleted(upstream)
    _warm_up(case, gateway)
    # What the warming left to delete must not be deleted on the measured clock.
    _wait_for_deletions(case, upstream, kept)
    if case.history_bytes:
        figures |= _measure_history(case, gateway, upstream, kept)
    before = _count_calls(upstream)
    loaded = _load(case, gateway, upstream, kept)
    after = _count_calls(upstream)
    if case.history_bytes:
        figures["cpu_ms_for_history"] = loaded.figures["cpu_ms_per_answer"] - figures["cpu_ms_without"]
    figures |= loaded.figures | {f"upstream_{name}": after[name] - before[name] for name in before}
    failures = loaded.failures
    if gateway.deletes_at_once and figures["undeleted"]:
        failures["conversations not deleted"] = int(figures["undeleted"])
    return Measurement(case, figures | _added(figures) | {"failed": failures.total()}, failures)


def hold_against(measurement: Measurement, floor: Measurement) -> None:
    """Add to a measurement what the least relay needs for the same. Raises ProgramFailed where that fails."""
    if floor.failures:
        raise ProgramFailed(f"the floor: {floor.failures}")
    for name in ("cpu_ms_per_1000_chunks", "cpu_ms_per_answer", "first_p50", "first_p95", *_LATENCY):
        measurement.figures[f"floor_{name}"] = floor.figures[name]
        measurement.figures[f"times_floor_{name}"] = measurement.figures[name] / floor.figures[name]
    for name in _LATENCY:
        if f"direct_{name}" in measurement.figures:
            direct = measurement.figures[f"direct_{name}"]
            measurement.figures[f"floor_added_{name}"] = floor.figures[name] - direct


def hold_against_plain(measurement: Measurement, plain: Measurement) -> None:
    """The same for what the gateway needs where no tools are offered."""
    if plain.failures:
        raise ProgramFailed(f"without tools: {plain.failures}")
    name = "cpu_ms_per_1000_chunks"
    measurement.figures[f"plain_{name}"] = plain.figures[name]
    measurement.figures[f"times_plain_{name}"] = measurement.figures[name] / plain.figures[name]


def _added(figures: Figures) -> Figures:
    """What the gateway adds to the same load without it."""
    names = ("first_p95", *_LATENCY)
    return {
        f"added_{name}": figures[name] - figures[f"direct_{name}"]
        for name in names
        if f"direct_{name}" in figures
    }


def _measure_direct(case: Case, upstream: Upstream) -> Report:
    report = run_plan(_plan(case, upstream.url, "upstream", upstream.build_lanes(case)))
    if report.findings.failures:
        raise ProgramFailed(f"without a gateway: {report.findings.failures}")
    return report


def _warm_up(case: Case, gateway: Gateway) -> None:
    """Every account logged in, every code path run once."""
    short = dataclasses.replace(case, chunks=SHORT_CHUNKS, pace_ms=0)
    report = run_plan(_plan(short, gateway.url, "whole", gateway.build_warming_lanes(case)))
    if report.findings.failures:
        raise ProgramFailed(f"while warming up: {report.findings.failures}")


def _measure_history(case: Case, gateway: Gateway, upstream: Upstream | None, kept: int) -> Figures:
    """What the same questions cost without a history, and how long others wait beside those with one."""
    plain = _load(dataclasses.replace(case, history_bytes=0), gateway, upstream, kept)
    plan = _plan(case, gateway.url, "whole", gateway.build_lanes(case))
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run_plan, plan)
        waits = list_ping_waits(gateway.url, running.done)
        failed = running.result().findings.failures
    if failed:
        raise ProgramFailed(f"while others waited: {failed}")
    _wait_for_deletions(case, upstream, kept)
    return {"cpu_ms_without": plain.figures["cpu_ms_per_answer"], "longest_wait_ms": max(waits)}


def _load(case: Case, gateway: Gateway, upstream: Upstream | None, kept: int) -> Measurement:
    kind: Kind = "stream" if case.streamed else "whole"
    plan = _plan(case, gateway.url, kind, gateway.build_lanes(case))
    watch = _Watch(gateway.processes, case.samples_memory)
    helper = _Watch(upstream.processes if upstream else None)
    with Program("bench.load") as program:
        program.write_all(json.dumps(dataclasses.asdict(plan)))
        busy = busy_seconds()
        watch.start()
        helper.start()
        program.read_line(plan.limit_seconds + _ANALYSIS_SECONDS, watch.tick)
        helper.stop()
        busy = busy_seconds() - busy
        deletion_seconds, undeleted = _wait_for_deletions(case, upstream, kept)
        watch.stop()
        report = parse_report(program.read_line(_ANALYSIS_SECONDS))
    figures = _times(report) | _work(case, report, watch) | _memory(case, gateway, watch)
    figures |= {"deletion_seconds": deletion_seconds, "undeleted": undeleted}
    others = busy - watch.cpu_seconds - helper.cpu_seconds - report.cpu_seconds
    figures |= {"upstream_busy": _share(helper.cpu_seconds, report.seconds)}
    figures |= {"others_busy": _share(max(others, 0.0), report.seconds)}
    return Measurement(case, figures, Counter(report.findings.failures))


def run_plan(plan: Plan) -> Report:
    """Have the load generator do it, in its own process. Raises ProgramFailed."""
    with Program("bench.load") as program:
        program.write_all(json.dumps(dataclasses.asdict(plan)))
        program.read_line(plan.limit_seconds + _ANALYSIS_SECONDS)
        return parse_report(program.read_line(_ANALYSIS_SECONDS))


def _plan(case: Case, url: str, kind: Kind, lanes: list[Lane]) -> Plan:
    host, port, _ = split_address(url)
    return Plan(host, port, kind, case.chunks, PIECE_BYTES, case.limit_seconds, lanes)


def _wait_for_deletions(case: Case, upstream: Upstream | None, kept: int) -> tuple[float, int]:
    """Seconds until no more than the `kept` conversations are left upstream, and how many more are then.

    A gateway that deletes later is not waited for to the end; of streams nothing is expected.
    """
    if upstream is None or case.streamed:
        return math.nan, 0
    begun = time.monotonic()
    while (left := _count_undeleted(upstream) - kept) > 0 and time.monotonic() - begun < _DELETION_SECONDS:
        time.sleep(0.1)
    return time.monotonic() - begun, max(left, 0)


def _count_undeleted(upstream: Upstream | None) -> int:
    return int(upstream.state()["undeleted"]) if upstream else 0


def _count_calls(upstream: Upstream | None) -> Figures:
    if upstream is None:
        return {}
    state = upstream.state()
    return {"connects": state["tcp_connections"], "calls": sum(state["requests"].values())}


def _times(report: Report) -> Figures:
    findings = report.findings
    return {
        "first_p50": percentile(findings.first_ms, 50),
        "first_p95": percentile(findings.first_ms, 95),
        "latency_p50": percentile(findings.latency_ms, 50),
        "latency_p95": percentile(findings.latency_ms, 95),
        "latency_p99": percentile(findings.latency_ms, 99),
        "whole_p50": percentile(findings.whole_ms, 50),
        "whole_p99": percentile(findings.whole_ms, 99),
        "load_busy": _share(report.cpu_seconds, report.seconds),
    }


def _work(case: Case, report: Report, watch: _Watch) -> Figures:
    return {
        "cpu_ms_per_1000_chunks": watch.cpu_seconds * 1e6 / case.relayed_chunks,
        "cpu_ms_per_answer": watch.cpu_seconds * 1e3 / case.answers,
        "answers_per_second": case.answers / report.seconds,
        "gateway_busy": _share(watch.cpu_seconds, report.seconds),
    }


def _memory(case: Case, gateway: Gateway, watch: _Watch) -> Figures:
    figures = {
        "idle_rss": gateway.idle.rss / _MEBIBYTE,
        "idle_pss": gateway.idle.pss / _MEBIBYTE,
        "start_seconds": gateway.start_seconds,
    }
    if watch.peak.rss:
        figures["peak_rss"] = watch.peak.rss / _MEBIBYTE
        figures["rss_per_stream"] = (watch.peak.rss - gateway.idle.rss) / 1024 / case.streams
        figures["pss_per_stream"] = (watch.peak.pss - gateway.idle.pss) / 1024 / case.streams
    return figures


def _share(cpu_seconds: float, seconds: float) -> float:
    """Percent of one core."""
    return 100 * cpu_seconds / seconds
