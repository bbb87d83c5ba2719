"""How much the model shall think, in the words of every API. Pure.

The upstream thinks not at all, or in one of two ways (protocol notes 3.1). Its own word `low` does not think;
whoever sends an effort to this gateway wants thinking, so from `low` on there is some.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Depth = Literal["", "thinking", "deep_thinking"]
"""Not at all, or the upstream's word for how."""

DEPTHS: Mapping[Effort, Depth] = {
    "none": "",
    "minimal": "",
    "low": "thinking",
    "medium": "thinking",
    "high": "thinking",
    "xhigh": "deep_thinking",
    "max": "deep_thinking",
}


def read_effort(word: str) -> Effort | None:
    """The effort that a client names, in any case; None where nobody knows the word."""
    folded = word.strip().lower()
    return next((effort for effort in DEPTHS if effort == folded), None)


def read_switch(*, is_on: bool) -> Effort:
    """What a switch asks for that only says whether to think."""
    return "medium" if is_on else "none"
