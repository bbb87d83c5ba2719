"""The load to judge fairness by: clients with overlapping lists of few accounts, all at once, for a while."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from bench.load import Lane, Plan, generate
from bench.request import build_chat, split_address
from tests.acceptance.control import Control
from tests.acceptance.fairness import Fairness, judge, read_visit

_PACE_MS = 50
_TOLERANCE_SECONDS = 0.05
_GRACE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class FairnessLoad:
    """So many clients, each with a list of `choice` neighbouring accounts of a ring, for so long."""

    clients: int = 200
    accounts: int = 20
    choice: int = 4
    seconds: float = 60.0
    chunks: int = 20

    @property
    def rounds(self) -> int:
        """Questions per client, so that all of it takes about `seconds`."""
        each = self.chunks * _PACE_MS / 1e3
        return max(1, math.ceil(self.seconds / each * self.accounts / self.clients))

    def build_line(self, client: int) -> list[str]:
        return [f"load{(client + step) % self.accounts}" for step in range(self.choice)]

    def build_key(self, client: int) -> str:
        """The same list comes in every order, sometimes with another token of the same login."""
        names = self.build_line(client)
        random.Random(client).shuffle(names)
        return ",".join(f"demo-{name}{'.again' if client % 7 == 3 else ''}" for name in names)

    def build_lane(self, url: str, client: int) -> Lane:
        """Answers of different lengths, so that the accounts do not all become free in one instant."""
        chance, lane = random.Random(-client), Lane(0.0, [])
        for _ in range(self.rounds):
            chunks = chance.randint(self.chunks // 2, self.chunks * 3 // 2)
            message = f"[[chunks n={chunks} pace={_PACE_MS} size=60 stamp=1]]"
            lane.requests.append(build_chat(url, self.build_key(client), "glm", message, stream=True))
        return lane


def run_fairness_load(
    load: FairnessLoad, gateway_url: str, upstream: Control
) -> tuple[Fairness, dict[str, Any]]:
    """What the crowd met, and what the upstream counted. Every account has been used before."""
    _warm(load, gateway_url)
    lanes = [load.build_lane(gateway_url, client) for client in range(load.clients)]
    exchanges, _ = generate(_plan(gateway_url, lanes, load.chunks, load.seconds + _GRACE_SECONDS))
    state = upstream.state()
    owners = {one["id"]: one["account"] for one in state["conversations"]}
    lines = [frozenset(load.build_line(n)) for n in range(load.clients) for _ in range(load.rounds)]
    visits = [
        read_visit(exchange, line, owners, _PACE_MS / 1e3)
        for exchange, line in zip(exchanges, lines, strict=True)
    ]
    return judge(visits, _TOLERANCE_SECONDS), state


def _warm(load: FairnessLoad, gateway_url: str) -> None:
    """One answer by every token that will be used, so that access tokens and logins are known."""
    tokens = sorted({token for n in range(load.clients) for token in load.build_key(n).split(",")})
    requests = [build_chat(gateway_url, token, "glm", "[[text]]", stream=True) for token in tokens]
    generate(_plan(gateway_url, [Lane(0.0, requests)], 0, _GRACE_SECONDS))


def _plan(gateway_url: str, lanes: list[Lane], chunks: int, limit_seconds: float) -> Plan:
    host, port, _ = split_address(gateway_url)
    return Plan(host, port, "stream", chunks, 60, limit_seconds, lanes)
