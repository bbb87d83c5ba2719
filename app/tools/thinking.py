"""A call at the end of the thinking, where an answer has neither text nor calls."""

from __future__ import annotations

from collections.abc import Callable

from app.core.tool import Tool
from app.tools.detector import CallDetector, CallOut
from app.tools.dialect import Dialect
from app.tools.name import Names
from app.tools.reader import MAX_CALL_CHARS


def find_thought_call(
    thinking: str, dialect: Dialect, names: Names, make_id: Callable[[Tool], str]
) -> CallOut | None:
    """The call with which `thinking` ends, if it is whole, readable and in the dialect."""
    start = thinking.rfind(dialect.opener, max(0, len(thinking) - MAX_CALL_CHARS))
    if start < 0:
        return None
    detector = CallDetector(dialect, names, make_id, lambda _: True)
    out = detector.feed(thinking[start:])
    if detector.is_over:  # something else follows
        return None
    out += detector.finish()
    return out[0] if len(out) == 1 and isinstance(out[0], CallOut) else None
