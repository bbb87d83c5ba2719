"""The refusal of a choice that no tool is left for."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from app.core.errors import UnsupportedValue

_MAX_KIND_CHARS = 64
_MAX_NAMED_KINDS = 5


def build_unmet_choice(skipped: Iterable[str]) -> UnsupportedValue:
    """A call is wanted, and the tools that could be called were skipped, which are of these types.

    Answered with a text, it would look as if the model had not obeyed.
    """
    kinds = ", ".join([kind[:_MAX_KIND_CHARS] for kind in islice(dict.fromkeys(skipped), _MAX_NAMED_KINDS)])
    why = f"not available here: {kinds}" if kinds else "no tool is left"
    return UnsupportedValue(
        f"`tool_choice` wants a call, and none of the tools can be called ({why}).", param="tool_choice"
    )
