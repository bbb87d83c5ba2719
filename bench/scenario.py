"""The loads that are measured, and what they ask the upstream emulator to play."""

from __future__ import annotations

from dataclasses import dataclass

from upstream_emulator.content import CORPUS

PIECE_BYTES = 30
SHORT_CHUNKS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """`streams` clients at a time, each with an account of its own, arriving evenly within `arrival_seconds`.

    Every answer has `chunks` pieces, `pace_ms` apart; each client asks `rounds` times in a row.
    """

    name: str
    streams: int
    chunks: int = 60
    pace_ms: int = 20
    arrival_seconds: float = 1.0
    rounds: int = 1
    streamed: bool = True
    direct: bool = True
    """Measured against the upstream without a gateway as well."""
    quick: bool = False
    """Belongs to the smaller set."""
    floor: bool = False
    """Held against the least that a relay can do (`bench.baseline`)."""
    offers_tools: bool = False
    """Tools are offered and none is called; held against the same load without them."""
    history_bytes: int = 0
    """Of what was said before each question."""
    turns: int = 0
    """Of a chat whose client sends its history; the last is measured, with going on and without."""

    @property
    def answers(self) -> int:
        return self.streams * self.rounds

    @property
    def relayed_chunks(self) -> int:
        """Counted as the upstream sends them, so that merged writes do not flatter."""
        return self.answers * self.chunks

    @property
    def samples_memory(self) -> bool:
        return self.streamed and self.streams >= 200

    @property
    def settings(self) -> dict[str, str]:
        """Short answers are deleted at once, so that their figures hold the whole work."""
        settings = {} if self.streamed else {"GLM_CONVERSATION_TTL": "0"}
        return settings | (
            {"GLM_MAX_PROMPT_CHARS": str(2 * self.history_bytes)} if self.history_bytes else {}
        )

    @property
    def message(self) -> str:
        return build_message(self.chunks, self.pace_ms)

    @property
    def history(self) -> list[str]:
        return build_history(self.history_bytes)

    @property
    def limit_seconds(self) -> float:
        """When what is not done counts as failed: the time it needs, and as much again in reserve."""
        return 30 + self.arrival_seconds + 3 * self.rounds * self.chunks * self.pace_ms / 1000


def build_message(chunks: int, pace_ms: int) -> str:
    """Snapshots: every frame repeats all text so far, the dearest way the upstream has."""
    return f"[[chunks n={chunks} pace={pace_ms} size={PIECE_BYTES} stamp=1 style=snapshot]]"


def build_history(size_bytes: int) -> list[str]:
    """About so many bytes of turns, half of them with what an answer may hold: a list, a link, code."""
    said = ["".join([CORPUS, "\n\n1. **one** [two](https://a.test/3)\n```python\nx = [{}]\n```\n"] * 4)]
    return said * round(size_bytes / len(said[0].encode()))


CASES = (
    Case("stream1", 1, arrival_seconds=0),
    Case("stream50", 50, quick=True, floor=True),
    Case("stream200", 200, quick=True, floor=True),
    Case("len60", 20, pace_ms=10, arrival_seconds=0.2, quick=True, floor=True),
    Case("len300", 20, chunks=300, pace_ms=10, arrival_seconds=0.2),
    # 15 MB of snapshots an answer: the direct client would be busier than the gateway.
    Case("len1000", 20, chunks=1000, pace_ms=10, arrival_seconds=0.2, direct=False, quick=True, floor=True),
    Case("latency50", 50, chunks=300, floor=True),
    Case("tools50", 50, chunks=300, direct=False, offers_tools=True),
    Case("open500", 500, chunks=100, pace_ms=100, arrival_seconds=5),
    # Many that begin at once.
    Case("begin200", 200, chunks=30, arrival_seconds=0.8, floor=True),
    Case("begin500", 500, chunks=50, pace_ms=100, arrival_seconds=2, floor=True),
    Case(
        "short16",
        16,
        chunks=SHORT_CHUNKS,
        pace_ms=0,
        arrival_seconds=0,
        rounds=100,
        streamed=False,
        direct=False,
        quick=True,
        floor=True,
    ),
    *(
        Case(
            name,
            1,
            chunks=SHORT_CHUNKS,
            pace_ms=0,
            arrival_seconds=0,
            rounds=20,
            streamed=False,
            direct=False,
            history_bytes=size_bytes,
        )
        for name, size_bytes in (("history200k", 200_000), ("history1m", 1_000_000))
    ),
    Case("turn10", 1, chunks=20, pace_ms=5, arrival_seconds=0, rounds=10, direct=False, turns=10),
)


def choose_cases(names: list[str], *, quick: bool) -> list[Case]:
    """The cases of these names, of all names where there are none. Raises KeyError at an unknown one."""
    known = {case.name: case for case in CASES}
    if names:
        return [known[name] for name in names]
    return [case for case in CASES if case.quick or not quick]
