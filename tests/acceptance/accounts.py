"""`python -m tests.acceptance.accounts`: are accounts and conversations treated as promised?

Prints one Markdown table, and ends with 1 when a promise was broken. Takes about four minutes, with `--quick`
one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.place import allow_open_files, start_upstream
from demo.gateway import GatewayProcess
from tests.acceptance.chaos import TTL_SECONDS, Chaos, run_chaos
from tests.acceptance.control import Control
from tests.acceptance.failover import run_failover
from tests.acceptance.fairness_load import FairnessLoad, run_fairness_load

IDLE_BOUND_MS = 50.0
KEY = "glm-" + "bench-accounts-" * 3
_ACCESS_LIFE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One promise and what was found."""

    promise: str
    found: str
    kept: bool


def measure_fairness(load: FairnessLoad) -> list[Row]:
    """Access tokens live so short that every account is refreshed several times meanwhile."""
    with start_upstream() as upstream, GatewayProcess(upstream.url) as gateway:
        control = Control(upstream.url)
        control.configure(access_life_seconds=_ACCESS_LIFE_SECONDS)
        fairness, state = run_fairness_load(load, gateway.url, control)
    accounts = state["accounts"].values()
    parallel, refreshes = (sum(one[name] for one in accounts) for name in ("parallel_refreshes", "refreshes"))
    what = f"{load.clients} clients, {load.accounts} accounts, lists of {load.choice}"
    asked = load.clients * load.rounds
    good = not fairness.problems and fairness.answers + fairness.refusals == asked
    return [
        Row(
            f"{what}: everything answered, or 429 with Retry-After",
            f"{fairness.answers} answered, {fairness.refusals} refused properly, "
            f"{len(fairness.problems)} not, of {asked}; longest wait {fairness.longest_wait_seconds:.1f} s",
            good,
        ),
        Row("one answer at a time per account", f"{state['violations']} violations", not state["violations"]),
        Row("one refresh at a time per account", f"{parallel} parallel, of {refreshes}", not parallel),
        Row(
            f"nobody waits more than {IDLE_BOUND_MS:.0f} ms beside an idle account of their list",
            f"worst {fairness.worst_wait_ms:.0f} ms",
            fairness.worst_wait_ms <= IDLE_BOUND_MS,
        ),
        Row("first come, first served", f"{len(fairness.overtakings)} overtaken", not fairness.overtakings),
    ]


def measure_failover(seconds: float) -> list[Row]:
    with start_upstream() as upstream, GatewayProcess(upstream.url) as gateway:
        trials = run_failover(gateway.url, Control(upstream.url), seconds)
    tries = ", ".join(f"{name} {len(moments)} times" for name, moments in trials.tried.items())
    total = trials.statuses.total()
    return [
        Row(
            f"3 tokens, one dead, one throttled, for {seconds:.0f} s: all requests succeed",
            f"{trials.statuses[200]} of {total}",
            trials.statuses[200] == total,
        ),
        Row(
            "the bad ones are tried again only when their cool-down ends",
            f"tried: {tries}; {trials.too_early} too early",
            not trials.too_early and all(trials.tried.values()),
        ),
    ]


def measure_chaos(chaos: Chaos) -> list[Row]:
    settings = {
        "GLM_REFRESH_TOKENS": ",".join(chaos.tokens),
        "GATEWAY_API_KEYS": f"bench={KEY};admin",
        "GLM_CONVERSATION_TTL": str(TTL_SECONDS),
        "GLM_IDLE_SECONDS": "2",
        "GLM_BREAKER_FAILURES": "1000000",
    }
    started: list[GatewayProcess] = []
    with tempfile.TemporaryDirectory(prefix="glm-api-") as name, start_upstream() as upstream:

        def start() -> GatewayProcess:
            started.append(GatewayProcess(upstream.url, Path(name), **settings))
            started[-1].start()
            return started[-1]

        try:
            result = run_chaos(chaos, start, KEY, Control(upstream.url))
        finally:
            for gateway in started:
                gateway.close()
        leaks = find_leaks(Path(name), [*chaos.tokens, KEY, "eyJhbGci"])
    return [
        Row(
            f"{chaos.questions} questions with {len(result.ends)} kinds of end, "
            f"2 x kill -9 in {result.killed_streams} streams, a restart: nothing left upstream",
            f"{result.undeleted} of {result.conversations} conversations left",
            not result.undeleted and result.killed_streams == 2 * chaos.killed_streams,
        ),
        Row(
            "no conversation deleted while in use",
            f"{result.deleted_while_in_use} deleted, {result.violations} violations",
            not result.deleted_while_in_use and not result.violations,
        ),
        Row("no token or key in state file, logs, output", f"{len(leaks)} found", not leaks),
    ]


def find_leaks(directory: Path, secrets: Iterable[str]) -> list[str]:
    """The files that hold one of these secrets."""
    wanted = [secret.encode() for secret in secrets]
    files = [path for path in directory.rglob("*") if path.is_file()]
    return [path.name for path in files if any(secret in path.read_bytes() for secret in wanted)]


def build_table(rows: Iterable[Row]) -> str:
    lines = [f"| {row.promise} | {row.found} | {'kept' if row.kept else 'BROKEN'} |" for row in rows]
    return "\n".join(["| promise | found | |", "|---|---|---|", *lines])


def main() -> int:
    parser = argparse.ArgumentParser(description="Are accounts and conversations treated as promised?")
    parser.add_argument("--quick", action="store_true", help="a tenth of the load")
    quick = parser.parse_args().quick
    allow_open_files()
    rows = measure_fairness(FairnessLoad(seconds=10 if quick else 60))
    rows += measure_failover(8 if quick else 110)
    rows += measure_chaos(Chaos(questions=100 if quick else 1000))
    print(build_table(rows))
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
