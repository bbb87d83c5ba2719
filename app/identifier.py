"""Ids that the upstream gives: conversations, videos, assistants (protocol notes 3.3, 3.4, 8)."""

from __future__ import annotations

import re

# 24 hex digits in everything that was ever seen. What callers send may be of another gateway, or made up.
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_HEX_ID = re.compile(r"[0-9A-Fa-f]{24}", re.ASCII)


def fold_id(text: str) -> str | None:
    """The one spelling of an id, None for what can be none.

    Hex digits mean the same in either case, to the upstream's database as well: whoever compares ids compares
    what this returns.
    """
    if _HEX_ID.fullmatch(text):
        return text.lower()
    return text if _ID.fullmatch(text) else None
