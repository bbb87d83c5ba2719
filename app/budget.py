"""How many bytes all requests may hold together, in memory or on the disk.

A share is opened, grows as bytes come, and gives everything back when it is closed. Nothing here waits: who
would not fit is told to try again.
"""

from __future__ import annotations

from collections.abc import Callable

from app.catalogue.load import BODIES_FULL
from app.core.errors import GatewayError, OutOfRoom

SMALL_SHARE_BYTES = 256 * 1024
RETRY_SECONDS = 5.0
# So many of the largest bodies may be held at a time, and the part that small ones have for themselves.
_BODIES = 4


class Budget:
    """Used in the threads of one event loop alone."""

    __slots__ = ("_max_bytes", "_refuse", "_reserve_bytes", "held_bytes")

    def __init__(
        self, max_bytes: int, refuse: Callable[[int], GatewayError], *, reserve_bytes: int = 0
    ) -> None:
        """`refuse` makes the error from `max_bytes`. The reserve is for small shares: large ones, which fill
        the rest, do not keep them out."""
        self._max_bytes = max_bytes
        self._refuse = refuse
        self._reserve_bytes = reserve_bytes
        self.held_bytes = 0

    def __repr__(self) -> str:
        return f"<Budget {self.held_bytes} of {self._max_bytes} bytes>"

    def open(self) -> Share:
        """An empty share; whoever opens it closes it."""
        return Share(self)

    def take(self, size_bytes: int, *, is_small: bool) -> None:
        """Raises what `refuse` makes, and takes nothing then."""
        max_bytes = self._max_bytes if is_small else self._max_bytes - self._reserve_bytes
        if self.held_bytes + size_bytes > max_bytes:
            raise self._refuse(self._max_bytes)
        self.held_bytes += size_bytes

    def give_back(self, size_bytes: int) -> None:
        self.held_bytes -= size_bytes


class Share:
    """What one request holds."""

    __slots__ = ("_budget", "size_bytes")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.size_bytes = 0

    def __repr__(self) -> str:
        return f"<Share {self.size_bytes} bytes>"

    def take(self, size_bytes: int) -> None:
        """So many more. Raises the budget's error where they do not fit; what was taken stays taken."""
        is_small = self.size_bytes + size_bytes <= SMALL_SHARE_BYTES
        self._budget.take(size_bytes, is_small=is_small)
        self.size_bytes += size_bytes

    def close(self) -> None:
        """Idempotent; a closed share can be used anew."""
        size_bytes, self.size_bytes = self.size_bytes, 0
        self._budget.give_back(size_bytes)


def build_body_budget(max_body_bytes: int, max_bytes: int | None) -> Budget:
    """For what requests hold of their bodies, in memory. `max_bytes` is what the operator says, or None."""
    max_bytes = max_bytes or _BODIES * max_body_bytes
    return Budget(max_bytes, _refuse_body, reserve_bytes=max_bytes // _BODIES)


def _refuse_body(max_bytes: int) -> OutOfRoom:
    return OutOfRoom(
        BODIES_FULL.fill(max_bytes=max_bytes),
        retry_after_seconds=RETRY_SECONDS,
    )
