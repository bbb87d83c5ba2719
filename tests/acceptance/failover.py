"""Three tokens, one dead and one throttled: everybody is answered, and the bad ones are left in peace."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.chaos import ask_once
from tests.acceptance.control import Control
from tests.raw_client import open_call

_EARLY_SECONDS = 1.0
"""The gateway tells cool-downs in whole seconds."""


@dataclass(slots=True)
class Trials:
    """`tried` holds for each bad account when it was asked, and until when it should have been left alone."""

    statuses: Counter[int] = field(default_factory=Counter)
    tried: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @property
    def too_early(self) -> int:
        return sum(
            at < rest_until - _EARLY_SECONDS for trials in self.tried.values() for at, rest_until in trials
        )


def run_failover(gateway_url: str, upstream: Control, seconds: float) -> Trials:
    """Ask without pause for so long. The upstream is used by nobody else."""
    key, trials = "demo-three-good,dead-three,demo-three-slow", Trials()
    upstream.account("three-slow", next=["throttled429"] * 1000)
    seen: dict[str, int] = {"dead": 0, "throttled": 0}
    rests: dict[str, float] = {}
    trials.tried = {name: [] for name in seen}
    begun, number = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        status, _ = ask_once(gateway_url, key, "[[chunks n=3 pace=10]]", stream=number % 2 == 0)
        trials.statuses[status] += 1
        number += 1
        for name, count in _count_refusals(upstream.state()).items():
            if count > seen[name]:
                trials.tried[name] += [(time.time(), rests.get(name, 0.0))] * (count - seen[name])
                seen[name] = count
                rests[name] = _find_rest(gateway_url, key, "expired" if name == "dead" else "cooling")
    return trials


def _count_refusals(state: dict[str, Any]) -> dict[str, int]:
    """How often the upstream refused a dead refresh token, and a question of the throttled account."""
    answers = sum(account["answers"] for account in state["accounts"].values())
    asked = state["requests"].get("/chatglm/backend-api/assistant/stream", 0)
    return {"dead": state["refusals"].get("40102", 0), "throttled": asked - answers}


def _find_rest(url: str, key: str, state: str) -> float:
    """Until when the account in this state is left alone, as GET /v1/accounts tells."""
    with open_call(url, "GET", "/v1/accounts", key) as client:
        accounts = client.read_answer().json["data"]
    return max(
        (account["cooling_until"] or 0 for account in accounts if account["state"] == state), default=0.0
    )
