"""The id of an answer: it names the conversation, and which answer of it this is."""

from __future__ import annotations

import re

import msgspec

# An item's id begins with the word for its kind, and ends with its place in the answer.
_ITEM_ID = re.compile(
    r"(?:msg|rs|ws|fc|ctc|sh|lsh|apc)_([0-9A-Za-z_-]{1,64})_([1-9][0-9]{0,8})_[0-9]{1,9}", re.ASCII
)
_RESPONSE_ID = re.compile(r"resp_([0-9A-Za-z_-]{1,64})_([1-9][0-9]{0,8})", re.ASCII)


class ResponseId(msgspec.Struct, frozen=True):
    """`conversation` is the upstream's id; `turn` counts the answers of it from 1."""

    conversation: str
    turn: int

    def __str__(self) -> str:
        return f"resp_{self.conversation}_{self.turn}"

    def name_item(self, kind: str, index: int) -> str:
        """The id of one of its items, which begins with the word for its kind."""
        return f"{kind}_{self.conversation}_{self.turn}_{index}"


def parse_response_id(text: str) -> ResponseId | None:
    """None for what is no such id."""
    return _read(_RESPONSE_ID.fullmatch(text))


def parse_item_id(text: str) -> ResponseId | None:
    """The answer that an item is of; None for what is no id of an item of ours."""
    return _read(_ITEM_ID.fullmatch(text))


def _read(match: re.Match[str] | None) -> ResponseId | None:
    return None if match is None else ResponseId(match[1], int(match[2]))
