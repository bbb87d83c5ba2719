"""Files written out as base64 inside the texts of a JSON body, as clients keep what was drawn. Pure.

They never come into a prompt (app/chat/prompt.py), so a large one is cut out of the bytes before they are
decoded: what is left of it is short, and still looks like what the prompt leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Generator

MARK = b";base64,"
MIN_CUT_BYTES = 4096
"""Shorter ones are left to the prompt."""

_SLICE_BYTES = 256 * 1024
# A sign of base64 may be an escaped slash, a line's end an escape; no escape is ever halved.
_FIRST = re.compile(rb"(?:\\r)?(?:\\n)?(?:[A-Za-z0-9+/_=%-]|\\/){60,128}+")
_REST = re.compile(rb"(?:[A-Za-z0-9+/_=%-]++|\\/|(?:\\r)?\\n(?=(?:[A-Za-z0-9+/_-]|\\/){60}))*+")
_BEGINS = re.compile(rb"data:[^\"\s,]{0,400}\Z", re.IGNORECASE)
_LOOKED_BACK_BYTES = 420


def measure_file(body: bytes, start: int, mark: int) -> Generator[None, None, tuple[int, int] | None]:
    """What may be cut of the file whose MARK stands at `mark`, in the string that begins at `start`.

    None where it is short, or no file. A step for each slice of it.
    """
    first = _FIRST.match(body, mark + len(MARK))
    if first is None:
        return None
    end = first.end()
    while (reached := _match_rest(body, end)) > end:
        end = reached
        yield
    is_file = _BEGINS.search(body[max(start, mark - _LOOKED_BACK_BYTES) : mark]) is not None
    return (first.end(), end) if is_file and end - mark >= MIN_CUT_BYTES else None


def _match_rest(body: bytes, start: int) -> int:
    found = _REST.match(body, start, start + _SLICE_BYTES)
    return found.end() if found else start
