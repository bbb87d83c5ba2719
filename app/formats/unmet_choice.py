"""The refusal of a choice that no tool is left for."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from app.core.errors import UnsupportedValue

_MAX_TOLD_CHARS = 64
_MAX_TOLD = 5


def build_unmet_choice(skipped: Iterable[str]) -> UnsupportedValue:
    """A call is wanted, and the tools that could be called were skipped: their names, or their types.

    Answered with a text, it would look as if the model had not obeyed.
    """
    told = ", ".join([each[:_MAX_TOLD_CHARS] for each in islice(dict.fromkeys(skipped), _MAX_TOLD)])
    why = f" of what is not available here: {told}" if told else ", and no tool is left"
    return UnsupportedValue(f"`tool_choice` wants a call{why}.", param="tool_choice")
