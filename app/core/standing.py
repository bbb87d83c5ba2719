"""How an account stands with the upstream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """`points` are what is left, None where the upstream does not say; so is `is_blocked`."""

    points: float | None
    is_blocked: bool | None
