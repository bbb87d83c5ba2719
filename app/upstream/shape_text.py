"""The texts of an answer as a recording keeps them: lengths, how they grow, and citation marks. Pure.

A part's text comes in pieces, each all text so far or only what is new (protocol notes 4.5). Whichever it is,
a character is replaced by its place in the whole, so that snapshots still begin with the ones before them and
deltas still follow each other. The whole answer is there when this is done, so that silent flags and marks
that came in two pieces are settled by all of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

from app.upstream.shape import ShapeKeeper, fill_character

_ENDINGS = ("finish", "intervene")
_TEXT_KEYS = ("text", "think", "code", "content")
# Code and what it put out: their line breaks decide how they are fenced.
_LINED_KEYS = ("code", "content")
_LINES = r"(?:,\s?L\d{1,6}(?:-L?\d{1,6})?)?"
_KEY = rf"turn\d{{1,4}}(?:search|news|view|image|fetch)\d{{1,4}}{_LINES}"
# A mark's own words may be anything; `source` is the upstream's.
_MARK = re.compile(
    rf"(?P<begin>【\d{{1,4}}(?::\d{{1,4}})?{_LINES}†(?:source)?)[^【】\n]{{0,40}}(?P<end>】)"
    rf"|(?P<key>[【\[]?(?<![A-Za-z0-9_]){_KEY}(?:[\s,，、;；]{{0,3}}{_KEY}){{0,9}}(?![A-Za-z0-9_])[】\]]?)"
)

_Track = tuple[object, ...]


class _Piece(msgspec.Struct):
    """`increases` is the flag of its frame; `offset` and `same` say where it stands, once that is known."""

    text: str
    increases: bool | None
    is_full: bool
    offset: int = 0
    same: int = 0
    """So many of its characters are what was said before at their place, or follow it."""


class _Text(msgspec.Struct):
    has_lines: bool = False
    pieces: list[_Piece] = msgspec.field(default_factory=list)
    marks: set[int] = msgspec.field(default_factory=set)

    def settle(self) -> None:
        """Find where each piece stands, and which places belong to marks."""
        is_delta = self._guess_deltas()
        said = ""
        for piece in self.pieces:
            grows = is_delta if piece.increases is None else piece.increases
            if grows and not piece.is_full:
                piece.offset, piece.same = len(said), len(piece.text)
                said += piece.text
            else:
                piece.same = _count_common(said, piece.text)
                if piece.same == len(said):
                    said, piece.same = piece.text, len(piece.text)
        if self.has_lines:
            self.marks.update(place for place, character in enumerate(said) if character == "\n")
        for mark in _MARK.finditer(said):
            for name in ("begin", "end", "key"):
                self.marks.update(range(*mark.span(name)) if mark[name] else ())

    def _guess_deltas(self) -> bool:
        """Of frames that do not say it: one that does not begin with the one before it is a delta."""
        silent = [one.text for one in self.pieces if one.increases is None and not one.is_full]
        return any(not after.startswith(before) for before, after in pairwise(silent))

    def keep(self, piece: _Piece) -> str:
        kept = []
        for n, character in enumerate(piece.text):
            place = piece.offset + n
            if n >= piece.same:
                kept.append(fill_character(character, place, 1))
            elif place in self.marks:
                kept.append(character)
            else:
                kept.append(fill_character(character, place))
        return "".join(kept)


def keep_frames(keeper: ShapeKeeper, frames: list[Any]) -> list[object]:
    """The shapes of the frames of one answer, in order."""
    texts: defaultdict[_Track, _Text] = defaultdict(_Text)
    held: dict[tuple[int, int, int, str], tuple[_Text, _Piece]] = {}
    for number, frame in enumerate(frames):
        for place, track, piece in _list_pieces(frame):
            texts[track].has_lines = place[2] in _LINED_KEYS
            texts[track].pieces.append(piece)
            held[number, *place] = texts[track], piece
    for text in texts.values():
        text.settle()
    kept = []
    for number, frame in enumerate(frames):
        shape: Any = keeper.keep(frame)
        for (part, item, name), _, _ in _list_pieces(frame):
            text, piece = held[number, part, item, name]
            if len(shape["parts"]) > part and len(shape["parts"][part]["content"]) > item:
                shape["parts"][part]["content"][item][name] = text.keep(piece)
        kept.append(shape)
    return kept


def _list_pieces(frame: Any) -> Iterator[tuple[tuple[int, int, str], _Track, _Piece]]:
    """Every text of a frame: its place there, to which text it belongs, and what came."""
    if not isinstance(frame, dict):
        return
    meta = frame.get("meta_data")
    flag = meta.get("if_increase_push") if isinstance(meta, dict) else None
    increases = flag if isinstance(flag, bool) else None
    ends = frame.get("status") in _ENDINGS
    for part_number, part in enumerate(_listed(frame.get("parts"))):
        if not isinstance(part, dict):
            continue
        part_id = part.get("logic_id")
        is_full = ends or part.get("status") in _ENDINGS
        for item_number, item in enumerate(_listed(part.get("content"))):
            if not isinstance(item, dict):
                continue
            silent = False if increases is None and isinstance(item.get("status"), str) else increases
            for name in _TEXT_KEYS:
                if isinstance(item.get(name), str):
                    whose = part_id if isinstance(part_id, str) else part_number
                    track = (whose, item_number, name)
                    piece = _Piece(item[name], silent, is_full)
                    yield (part_number, item_number, name), track, piece


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _count_common(one: str, other: str) -> int:
    """How many characters both begin with."""
    for n, (first, second) in enumerate(zip(one, other, strict=False)):
        if first != second:
            return n
    return min(len(one), len(other))
