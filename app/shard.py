"""Which of several gateway instances an account belongs to (GLM_POOL_SHARD). Pure.

Rendezvous hashing: every instance weighs a token for every shard, and the heaviest shard owns it. All come
to the same result without asking each other, and another instance takes over its own share and no more.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

_MAX_SHARDS = 1024


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` instances; `number` counts from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def select(self, tokens: Iterable[str]) -> tuple[str, ...]:
        """Those of `tokens` that belong to this shard, in their order."""
        return tuple(token for token in tokens if find_shard(token, self.count) == self.number)


def find_shard(token: str, count: int) -> int:
    """The number of the shard that owns `token`, from 1 to `count`."""
    return max(range(1, count + 1), key=lambda number: _weigh(token, number))


def parse_shard(text: str) -> Shard:
    """Read `1/4`. Raises ValueError."""
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if not found or not int(found[1]) <= int(found[2]) <= _MAX_SHARDS:
        raise ValueError(f"expected NUMBER/COUNT such as 1/4, from 1/1 to {_MAX_SHARDS}, got {text!r}")
    return Shard(int(found[1]), int(found[2]))


def _weigh(token: str, number: int) -> bytes:
    return hashlib.sha256(f"{number}/{token}".encode()).digest()
