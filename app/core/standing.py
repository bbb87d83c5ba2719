"""How an account stands with the upstream."""

from __future__ import annotations

import msgspec


class Standing(msgspec.Struct, frozen=True):
    """`points` are what is left, None where the upstream does not say; so is `is_blocked`."""

    points: float | None
    is_blocked: bool | None
