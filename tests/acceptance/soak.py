"""`python -m tests.acceptance.soak [SECONDS]`: everything at once for ten minutes; what is left then?

Ends with 1 when anything is: a lease, a stream, a conversation, a descriptor, memory, or an improper answer.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.place import allow_open_files, start_upstream
from bench.process import ProcessTree
from demo.gateway import GatewayProcess
from tests.acceptance.accounts import Row, build_table
from tests.acceptance.control import Control
from tests.acceptance.soak_client import Result, Visit, build_visits
from tests.raw_client import open_call

LANES = 24
GOOD_ACCOUNTS = [f"demo-soak{number}" for number in range(40)]
# Many, since those that fail rest for a while.
BAD_ACCOUNTS = [f"demo-trouble{number}" for number in range(1500)]
SETTINGS = {
    "GLM_CONVERSATION_TTL": "2",
    "GLM_FIRST_EVENT_SECONDS": "3",
    "GLM_IDLE_SECONDS": "3",
    "GLM_HEARTBEAT_SECONDS": "1",
    "GLM_QUEUE_SECONDS": "10",
    "GLM_BREAKER_FAILURES": "1000",
}
_DOWN_SECONDS = 1.5
_UP_SECONDS = 45.0
_MAX_TOKENS = 200
# Accounts cool down for up to 15 seconds after an upstream that was away, and a fifth more by jitter.
_GRACE_SECONDS = 20.0
# A deletion that failed three times is tried again after 75 seconds, a fourth time after 155.
_QUIET_SECONDS = 180.0
_MEBIBYTE = 1024 * 1024
# Connections to the upstream are kept for reuse: one a lane, and one each for the background deletions.
_KEPT_CONNECTIONS = LANES + 32
# What allocators keep of a load that is over; growth with time would show as more after a longer soak.
_MAX_GROWTH = 24 * _MEBIBYTE


@dataclass(slots=True)
class Findings:
    """What the clients got, and when the upstream was away (moments of the monotonic clock)."""

    counts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)

    def note(self, result: Result, begun: float, ended: float) -> None:
        self.counts[result.kind] += 1
        self.outcomes[result.code or str(result.status)] += 1
        problem = result.problem
        if not problem and not result.is_good and result.kind in {"good", "begun", "looked", "continued"}:
            problem = "" if self._is_excused(begun, ended) else f"{result.status} {result.code}"
        if problem:
            self.problems.append(f"{result.kind}: {problem}")

    def _is_excused(self, begun: float, ended: float) -> bool:
        """Whether the upstream was away, or its accounts still cooled down from that."""
        return any(begun < end + _GRACE_SECONDS and ended > start for start, end in self.outages)


@dataclass(frozen=True, slots=True)
class Size:
    """What the gateway's processes hold."""

    descriptors: int
    rss: int


def measure_size(pid: int) -> Size:
    tree = ProcessTree(pid)
    count = sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in tree.list_pids())
    return Size(count, tree.memory().rss)


def run_soak(seconds: float) -> tuple[list[Row], Findings]:
    with start_upstream() as upstream, GatewayProcess(upstream.url, None, **SETTINGS) as gateway:
        control = Control(upstream.url)
        visits = build_visits(GOOD_ACCOUNTS, BAD_ACCOUNTS)
        # Everything that is loaded late and everything that is kept for reuse is there after this.
        _visit_all(gateway.url, visits, min(seconds / 4, 20), control, Findings())
        _wait_for_quiet(control, gateway.url)
        before = measure_size(gateway.pid)
        findings = Findings()
        _visit_all(gateway.url, visits, seconds, control, findings)
        left = _wait_for_quiet(control, gateway.url)
        after = measure_size(gateway.pid)
    return [*_judge_visits(findings), *_judge_rest(left, before, after)], findings


def _visit_all(
    url: str, visits: Mapping[str, Visit], seconds: float, upstream: Control, findings: Findings
) -> None:
    """Lanes of clients without pause, while the upstream goes away now and then."""
    end = time.monotonic() + seconds
    lock = threading.Lock()

    def walk(number: int) -> None:
        chance = random.Random(number)
        weights = {"good": 10, "bad": 3, "left": 4, "continued": 3}
        kinds = list(visits)
        while time.monotonic() < end:
            kind = chance.choices(kinds, [weights.get(name, 1) for name in kinds])[0]
            begun = time.monotonic()
            result = visits[kind](url, chance)
            with lock:
                findings.note(result, begun, time.monotonic())

    lanes = [threading.Thread(target=walk, args=(number,), daemon=True) for number in range(LANES)]
    for lane in lanes:
        lane.start()
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _UP_SECONDS, seconds / 3))
        if end - time.monotonic() > _DOWN_SECONDS:
            _take_away(upstream, findings)
    for lane in lanes:
        lane.join()


def _take_away(upstream: Control, findings: Findings) -> None:
    begun = time.monotonic()
    findings.outages.append((begun, math.inf))  # those that fail while it lasts have their reason
    upstream.configure(down=True)
    time.sleep(_DOWN_SECONDS)
    upstream.configure(down=False)
    findings.outages[-1] = (begun, time.monotonic())


def _wait_for_quiet(upstream: Control, url: str) -> dict[str, int]:
    """Wait until nothing is left, or long enough; what is left then."""
    deadline = time.monotonic() + _QUIET_SECONDS
    while True:
        state = upstream.state()
        left = {name: int(state[name]) for name in ("open_streams", "undeleted", "violations")}
        left |= {"deleted_while_in_use": state["deleted_while_in_use"], "leases": _count_leases(url)}
        pending = left["open_streams"] + left["undeleted"] + left["leases"]
        if not pending or time.monotonic() > deadline:
            return left
        time.sleep(0.25)


def _count_leases(url: str) -> int:
    """As the accounts tell themselves. Asking also lets the cleaner know that they are there."""
    everybody, count = GOOD_ACCOUNTS + BAD_ACCOUNTS, 0
    for start in range(0, len(everybody), _MAX_TOKENS):
        key = ",".join(everybody[start : start + _MAX_TOKENS])
        with open_call(url, "GET", "/v1/accounts", key) as client:
            accounts = client.read_answer().json["data"]
        count += sum(account["state"] == "answering" for account in accounts)
    return count


def _judge_visits(findings: Findings) -> list[Row]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(findings.counts.items()))
    return [
        Row(
            f"every visit ended properly; the upstream went away {len(findings.outages)} times",
            f"{len(findings.problems)} problems in {findings.counts.total()} visits: {kinds}",
            not findings.problems,
        )
    ]


def _judge_rest(left: dict[str, int], before: Size, after: Size) -> list[Row]:
    growth = (after.rss - before.rss) / _MEBIBYTE
    names = {
        "leases": "leases out",
        "open_streams": "streams open upstream",
        "undeleted": "conversations left",
        "violations": "accounts asked twice at a time",
        "deleted_while_in_use": "conversations deleted while in use",
    }
    rows = [Row(words, str(left[name]), left[name] == 0) for name, words in names.items()]
    return [
        *rows,
        Row(
            f"descriptors back, but for at most {_KEPT_CONNECTIONS} kept connections",
            f"{before.descriptors} before, {after.descriptors} after",
            after.descriptors <= before.descriptors + _KEPT_CONNECTIONS,
        ),
        Row(
            f"memory back within {_MAX_GROWTH / _MEBIBYTE:.0f} MiB",
            f"{before.rss / _MEBIBYTE:.0f} MiB before, {growth:+.1f} MiB after",
            after.rss - before.rss <= _MAX_GROWTH,
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Everything at once, then a look at what is left.")
    parser.add_argument("seconds", nargs="?", type=float, default=600.0)
    allow_open_files()
    rows, findings = run_soak(parser.parse_args().seconds)
    print(build_table(rows))
    print("\nOutcomes:", ", ".join(f"{name} {count}" for name, count in findings.outcomes.most_common()))
    for problem, count in Counter(findings.problems).most_common(20):
        print(f"  {count} x {problem}")
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
