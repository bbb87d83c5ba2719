"""A text that a regular expression matches: the shortest by its first alternatives.

Letters, classes, groups, alternatives and repetitions are read, as most patterns of schemas have no more; not
what looks around or back.
"""

from __future__ import annotations

import re

MAX_CHARS = 10_000
MAX_GROUPS = 30

_COUNTS = re.compile(r"(?:[*+?]|\{(\d{1,5})(,(\d{0,5}))?\})")
_GROUP = re.compile(r"\((?:\?(?:[:>]|P?<[A-Za-z_]\w*>))?(?!\?)")
_CODE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))")
_DOUBLED = re.compile(r"([-&~|])\1+")
_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "S": "a", "W": "-"}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_PLACES = {"b", "B", "A", "Z", "z"}
# What a class that excludes is tried with.
_OTHERS = "a0A-_.@ 中"


class Unreadable(Exception):
    """The expression says something that is not read here."""


def write_match(pattern: str, min_chars: int = 0) -> str | None:
    """None where the pattern cannot be read; shorter than `min_chars` only where nothing in it repeats."""
    text = None
    for extra in (0, 1, 2, 4, 8, 16, 64, min_chars):
        try:
            text = _Reader(pattern, extra).read()
        except Unreadable:
            return text
        if len(text) >= min_chars:
            break
    return text


class _Reader:
    """Reads an expression once, and writes as it goes. What may be repeated is, up to `extra` times."""

    def __init__(self, pattern: str, extra: int) -> None:
        self._pattern = pattern
        self._extra = extra
        self._place = 0
        self._groups = 0

    def read(self) -> str:
        text = self._read_alternatives()
        if self._place < len(self._pattern):
            raise Unreadable
        return text

    @property
    def _next(self) -> str:
        return self._pattern[self._place : self._place + 1]

    def _take(self) -> str:
        taken = self._next
        if not taken:
            raise Unreadable
        self._place += 1
        return taken

    def _read_alternatives(self) -> str:
        first = self._read_sequence()
        while self._next == "|":
            self._place += 1
            self._read_sequence()
        return first

    def _read_sequence(self) -> str:
        text = ""
        while self._next not in ("", "|", ")"):
            atom, count = self._read_atom(), self._read_count()
            if len(text) + len(atom) * count > MAX_CHARS:
                raise Unreadable
            text += atom * count
        return text

    def _read_count(self) -> int:
        counts = _COUNTS.match(self._pattern, self._place)
        if counts is None:
            return 1
        self._place = counts.end()
        if self._next in ("?", "+"):  # lazy, possessive
            self._place += 1
        if counts[0] == "?":
            return min(1, self._extra)
        if counts[1] is None:
            return max(self._extra, counts[0] == "+")
        least = int(counts[1])
        if counts[2] is None:
            return least
        return max(least, min(self._extra, int(counts[3] or MAX_CHARS)))

    def _read_atom(self) -> str:
        match self._next:
            case "(":
                return self._read_group()
            case "[":
                return self._read_class()
            case "\\":
                return self._read_escape()
        match self._take():
            case "^" | "$":
                return ""
            case ".":
                return "a"
            case "*" | "+" | "?":
                raise Unreadable
            case letter:
                return letter

    def _read_group(self) -> str:
        opening = _GROUP.match(self._pattern, self._place)
        self._groups += 1
        if opening is None or self._groups > MAX_GROUPS:
            raise Unreadable
        self._place = opening.end()
        text = self._read_alternatives()
        if self._take() != ")":
            raise Unreadable
        return text

    def _read_escape(self) -> str:
        if code := _CODE.match(self._pattern, self._place):
            self._place = code.end()
            return chr(int(code[1] or code[2], 16))
        self._take()
        letter = self._take()
        if letter in _PLACES:
            return ""
        written = _CLASSES.get(letter) or _CONTROLS.get(letter) or letter
        if written == letter and letter.isalnum():  # a reference back, a class of Unicode's
            raise Unreadable
        return written

    def _read_class(self) -> str:
        """Its first member, or something that is none."""
        begin = self._place
        self._take()
        excludes = self._next == "^"
        if excludes:
            self._place += 1
        first = self._read_escape() if self._next == "\\" else self._take()
        while self._next != "]":
            if self._next == "\\":
                self._read_escape()
            else:
                self._take()
        self._place += 1
        return _find_other(self._pattern[begin : self._place]) if excludes else first


def _find_other(members: str) -> str:
    # Without what Python warns of, as it may mean sets in sets one day.
    members = members[0] + _DOUBLED.sub(r"\1", members[1:]).replace("[", r"\[")
    try:
        found = re.search(members, _OTHERS)
    except re.error:
        found = None
    if found is None:
        raise Unreadable
    return found[0]
