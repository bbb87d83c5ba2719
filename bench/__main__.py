"""`python -m bench`: measure this gateway, or with `--base` and `--pid` any other, and print the tables.

Ends with 1 when a single answer was incomplete, changed or missing, with 2 when nothing could be measured.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from bench.machine import describe, describe_noise, spin_ms
from bench.measure import Measurement, hold_against, hold_against_plain, measure_case
from bench.place import Upstream, allow_open_files, attach_gateway, start_gateway, start_upstream
from bench.process import ProgramFailed
from bench.report import build_report
from bench.scenario import CASES, Case, choose_cases
from bench.turns import measure_turns
from demo.gateway import GatewayFailed

Measure = Callable[[Case], Measurement]

_FLOOR = "bench.baseline:app"
# On gunicorn's own worker: what the gateway is held against has nothing of the gateway in it.
_FLOOR_SETTINGS = {"GUNICORN_CMD_ARGS": "--worker-class gevent"}
_OURS = "wsgi:app"


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure the gateway under load, against the upstream emulator."
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"of {', '.join(case.name for case in CASES)}"
    )
    parser.add_argument("--runs", type=int, default=0, help="the medians of this many runs (7)")
    parser.add_argument("--quick", action="store_true", help="one run of a smaller set")
    parser.add_argument("--out", type=Path, help="write the tables to this file as well")
    parser.add_argument("--model", default="glm", help="the model to ask for (glm)")
    parser.add_argument(
        "--key", default="demo-b{n}", help="the bearer; {n} is the client's number (demo-b{n})"
    )
    other = parser.add_argument_group("another gateway, connected to the upstream emulator")
    other.add_argument(
        "--upstream-only", action="store_true", help="serve the upstream emulator until Ctrl-C"
    )
    other.add_argument("--base", help="where the gateway listens, such as http://127.0.0.1:9000/v1")
    other.add_argument("--pid", type=int, help="its process; descendants count too")
    other.add_argument(
        "--upstream", help="the upstream emulator's address, to measure without a gateway as well"
    )
    parsed = parser.parse_args(arguments)
    unknown = set(parsed.cases) - {case.name for case in CASES}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if (parsed.base is None) != (parsed.pid is None):
        parser.error("--base and --pid belong together")
    parsed.runs = parsed.runs or (1 if parsed.quick else 7)
    return parsed


def main() -> int:
    arguments = parse_arguments(sys.argv[1:])
    allow_open_files()
    # Whoever ends this, what was started has to be stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    if arguments.upstream_only:
        return serve_upstream()
    try:
        report, failed = run(arguments)
    except (ProgramFailed, GatewayFailed, OSError) as error:
        print(f"nothing measured: {error}", file=sys.stderr)
        return 2
    print(report)
    if arguments.out:
        arguments.out.write_text(report, "utf-8")
    return 1 if failed else 0


def run(arguments: argparse.Namespace) -> tuple[str, bool]:
    """The report, and whether any answer failed."""
    measure = _other_gateway(arguments) if arguments.base else _own_gateway(arguments)
    measurements, spins = [], []
    for number in range(arguments.runs):
        for case in choose_cases(arguments.cases, quick=arguments.quick):
            if case.turns and arguments.base:
                continue  # needs two gateways with settings of its own
            spins.append(spin_ms())
            begun = time.monotonic()
            measurements.append(measure(case))
            _show_progress(
                measurements[-1], f"run {number + 1} of {arguments.runs}", time.monotonic() - begun
            )
    notes = [describe(), describe_noise(spins), *describe_method(arguments)]
    report = build_report(measurements, notes, targets=not arguments.base)
    return report, any(measurement.failures for measurement in measurements)


def describe_method(arguments: argparse.Namespace) -> list[str]:
    what = f"the gateway at {arguments.base}" if arguments.base else "a new gateway and upstream for each run"
    return [
        f"{what}; medians of {arguments.runs} (quartiles); all of it shares the machine",
        "every client has an account of its own, logged in beforehand; the upstream sends snapshots",
        "a failed answer is one that is not complete and equal in every character",
        "latency: from the stamp the upstream puts into each piece to the client's read; "
        "added: less the same load without a gateway, percentile by percentile",
        "CPU: user and system time of master and worker, per chunk that the upstream sent; floor: the same "
        "load on bench/baseline.py, the least that a relay on this stack can do, on gunicorn's own gevent "
        "worker, before or after it by turns",
    ]


def serve_upstream() -> int:
    """Prints its address first."""
    with start_upstream() as upstream, suppress(KeyboardInterrupt):
        print(upstream.url, flush=True)
        while True:
            time.sleep(3600)
    return 0


def _own_gateway(arguments: argparse.Namespace) -> Measure:
    def measure(case: Case, application: str = _OURS) -> Measurement:
        settings = case.settings | (_FLOOR_SETTINGS if application == _FLOOR else {})
        with (
            start_upstream() as upstream,
            start_gateway(upstream, arguments.key, arguments.model, settings, application) as gateway,
        ):
            return measure_case(case, gateway, upstream)

    turns = count()

    def measure_both(case: Case) -> Measurement:
        """The case, and what it is held against before or after it by turns."""
        if case.turns:
            return measure_turns(case, arguments.key, arguments.model)
        if not case.floor and not case.offers_tools:
            return measure(case)
        other, application = replace(case, direct=False, offers_tools=False), _FLOOR if case.floor else _OURS
        other_first = next(turns) % 2 == 1
        held = measure(other, application) if other_first else None
        measurement = measure(case)
        hold = hold_against if case.floor else hold_against_plain
        hold(measurement, held or measure(other, application))
        return measurement

    return measure_both


def _other_gateway(arguments: argparse.Namespace) -> Measure:
    upstream = Upstream(arguments.upstream) if arguments.upstream else None
    gateway = attach_gateway(arguments.base, arguments.pid, arguments.key, arguments.model)
    return lambda case: measure_case(case, gateway, upstream)


def _show_progress(measurement: Measurement, where: str, seconds: float) -> None:
    failed = measurement.failures.total()
    verdict = f"{failed} FAILED" if failed else "all right"
    print(f"{where}: {measurement.case.name}, {verdict}, {seconds:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
