"""Plays a known answer as an upstream stream, in any style (protocol notes 4.5); uses nothing of the app."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CONVERSATION_ID = "6ab9ffb1a0610b1da40361c1"
# Where a content type keeps its text, unless the field is named like the type.
_FIELDS = {"execution_output": "content"}


@dataclass(frozen=True, slots=True)
class Block:
    """One part of the answer; `kind` is a content type. The upstream makes it up piece by piece."""

    kind: str
    pieces: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Style:
    """How one growing frame is written. `flag` is if_increase_push, None where the frame does not show it."""

    is_delta: bool
    flag: bool | None
    has_item_status: bool = False


SNAPSHOT_2024 = Style(is_delta=False, flag=None, has_item_status=True)
SNAPSHOT = Style(is_delta=False, flag=False)
UNFLAGGED_SNAPSHOT = Style(is_delta=False, flag=None)
FLAGGED_DELTA = Style(is_delta=True, flag=True)
UNFLAGGED_DELTA = Style(is_delta=True, flag=None)


@dataclass(frozen=True, slots=True)
class Ending:
    """What stands where a part and the answer end."""

    parts_finish: bool = True
    last_frame_has_parts: bool = True


def said(blocks: list[Block], kind: str) -> str:
    """What a client must have in the end."""
    return "\n\n".join(block.text for block in blocks if block.kind == kind and block.text)


def play_frames(blocks: list[Block], styles: Iterator[Style], ending: Ending) -> list[dict[str, Any]]:
    frames = [_frame([], "init", None)]
    last: list[dict[str, Any]] = []
    for number, block in enumerate(blocks):
        frames.extend(_grow(block, number, styles))
        last = [_part(block, number, block.text, "finish", has_item_status=False)]
        if ending.parts_finish:
            frames.append(_frame(last, "init", None))
    frames.append(_frame(last if ending.last_frame_has_parts else [], "finish", None))
    return frames


def _grow(block: Block, number: int, styles: Iterator[Style]) -> Iterator[dict[str, Any]]:
    so_far = ""
    for piece in block.pieces:
        style = next(styles)
        so_far += piece
        shown = piece if style.is_delta else so_far
        part = _part(block, number, shown, "init", has_item_status=style.has_item_status)
        yield _frame([part], "init", style.flag)


def _part(block: Block, number: int, text: str, status: str, *, has_item_status: bool) -> dict[str, Any]:
    item: dict[str, Any] = {"type": block.kind, _FIELDS.get(block.kind, block.kind): text}
    if has_item_status:
        item["status"] = status
    return {"logic_id": f"00000000-0000-4000-8000-{number:012d}", "content": [item], "status": status}


def _frame(parts: list[dict[str, Any]], status: str, flag: bool | None) -> dict[str, Any]:
    meta = {} if flag is None else {"if_increase_push": flag}
    return {
        "id": "6ab9ffb1a0610b1da40361c2",
        "conversation_id": CONVERSATION_ID,
        "parts": parts,
        "status": status,
        "last_error": {},
        "meta_data": meta,
    }


def list_earlier_parts(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same answer by an upstream whose frames show all parts so far, not only the one that grows."""
    shown: dict[str, dict[str, Any]] = {}
    gathered = []
    for frame in frames:
        for part in frame["parts"]:
            if not frame["meta_data"].get("if_increase_push"):
                shown[part["logic_id"]] = part
        gathered.append(frame | {"parts": list(shown.values()) if frame["parts"] else []})
    return gathered


def write_events(frames: list[dict[str, Any]], line_end: str = "\n", *, is_ascii: bool = False) -> bytes:
    """`is_ascii`: whatever is not is escaped, as half a surrogate pair has to be."""
    events = [
        f"event:message{line_end}data: {json.dumps(frame, ensure_ascii=is_ascii)}{line_end}{line_end}"
        for frame in frames
    ]
    return "".join(events).encode("utf-8")
