"""Upstream streams (tests/fixtures/frames) with what must come out of them, see tests/fixtures/README.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

FRAMES = Path(__file__).parent / "fixtures" / "frames"
_RANDOM_CUTTINGS = 5
_MAX_PIECES = 12


@dataclass(frozen=True, slots=True)
class Fixture:
    """One stream as bytes. `finish` is None exactly where `error` is not."""

    name: str
    data: bytes
    conversation_id: str | None
    text: str
    reasoning: str
    finish: str | None
    error: str | None
    note: str

    def __str__(self) -> str:
        return self.name


def load_expectations() -> dict[str, dict[str, Any]]:
    expectations: dict[str, dict[str, Any]] = json.loads((FRAMES / "expected.json").read_text("utf-8"))
    return expectations


def load_fixtures() -> list[Fixture]:
    """Every fixture, in alphabetical order; use `ids=str` when parametrising."""
    return [
        Fixture(name=name, data=(FRAMES / f"{name}.sse").read_bytes(), **expected)
        for name, expected in sorted(load_expectations().items())
    ]


def load_fixture(name: str) -> Fixture:
    return next(fixture for fixture in load_fixtures() if fixture.name == name)


def cuttings(data: bytes, rng: Random) -> Iterator[list[bytes]]:
    """The ways in which a network may deliver `data`: whole, byte by byte, and at random places."""
    yield [data]
    yield [data[index : index + 1] for index in range(len(data))]
    for _ in range(_RANDOM_CUTTINGS):
        yield cut_randomly(data, rng)


def cut_randomly(data: bytes, rng: Random) -> list[bytes]:
    """Up to a dozen pieces, empty ones among them."""
    places = sorted(rng.randint(0, len(data)) for _ in range(rng.randrange(_MAX_PIECES)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
