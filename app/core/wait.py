"""What a request waits for before its answer begins, in no language (the words: app/catalogue/wait.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

WaitKind = Literal["queue", "fetch", "upload", "ask", "search", "research", "draw"]


class Wait(msgspec.Struct, frozen=True):
    """`number` is the place in the queue, from 1, or which file of `count` it is."""

    kind: WaitKind
    number: int = 0
    count: int = 0


TellWait = Callable[[Wait], None]
"""Is told what begins to be waited for; it does not wait itself, and raises nothing."""
