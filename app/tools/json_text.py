"""JSON as models write it: where a value ends, how it is read, how it is written.

Reading mends three things that lose and invent nothing: raw control characters in strings, escapes that JSON
does not know (`\\U` means a backslash and a U), and trailing commas. Whatever else is wrong stays wrong.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

MAX_DEPTH = 128

_STRUCTURE = re.compile(r'["\[\]{}<]')
# Possessive, so that nothing is tried twice; a backslash at the end of what is there waits for its character.
_IN_STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_STRING_OR_COMMA = re.compile(r'"(?:[^"\\]++|\\.)*+"?|,(?=\s*[\]}])', re.DOTALL)
_ESCAPE = re.compile(r"""\\(["\\/bfnrt]|u[0-9a-fA-F]{4})?""")
_CONTROL = re.compile(r"[\x00-\x1f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """The text is no JSON value that could be handed on."""


class Parsed(msgspec.Struct, frozen=True):
    """A value and the text it came from, mended where `is_repaired`."""

    value: Any
    text: str
    is_repaired: bool


class JsonScanner:
    """Finds the end of an object, array or string that comes in pieces, each character looked at once.

    Brackets are counted and strings skipped; whether the value is valid is for the parser to say.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._is_escaped = False
        # A `<` outside of strings, or more brackets than anyone nests: no JSON goes on like that.
        self.is_broken = False

    def feed(self, text: str, start: int = 0) -> int:
        """The index behind the value's last character, or of the one that breaks it; -1 while it goes on."""
        place = start
        while True:
            if self._in_string:
                place = self._skip_string(text, place)
            else:
                place = self._skip_structure(text, place)
            if place < 0 or not (self._depth or self._in_string) or self.is_broken:
                return place

    def _skip_string(self, text: str, place: int) -> int:
        if self._is_escaped and place < len(text):
            self._is_escaped = False
            place += 1
        match = _IN_STRING.match(text, place)
        place = match.end() if match else place
        if place >= len(text):
            return -1
        if text[place] == "\\":
            self._is_escaped = True
            return -1
        self._in_string = False
        return place + 1

    def _skip_structure(self, text: str, place: int) -> int:
        match = _STRUCTURE.search(text, place)
        if match is None:
            return -1
        mark = match[0]
        if mark == '"':
            self._in_string = True
        elif mark == "<" or self._depth > MAX_DEPTH:
            self.is_broken = True
            return match.start()
        else:
            self._depth += 1 if mark in "[{" else -1
        return match.end()


def parse_json(text: str) -> Parsed:
    """Read one value. Raises NotJson, also for numbers that no client could read and for deep nesting."""
    try:
        return Parsed(_load(text), text, is_repaired=False)
    except ValueError:
        mended = _mend(text)
    try:
        return Parsed(_load(mended), mended, is_repaired=True)
    except ValueError as error:
        raise NotJson("not a JSON value") from error


def _load(text: str) -> Any:
    try:
        value = json.loads(text, parse_float=_parse_float, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise NotJson("nested too deeply") from error
    if measure_depth(value) > MAX_DEPTH:
        raise NotJson("nested too deeply")
    return value


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson("a number out of range")
    return number


def _refuse_constant(name: str) -> float:
    raise NotJson(f"{name} is no JSON")


def _mend(text: str) -> str:
    return _STRING_OR_COMMA.sub(_mend_token, text)


def _mend_token(match: re.Match[str]) -> str:
    piece = match[0]
    if piece == ",":
        before = match.start() - 1
        while before > 0 and match.string[before].isspace():
            before -= 1
        return "," if match.string[before] in "[{," else ""
    piece = _ESCAPE.sub(lambda escape: escape[0] if escape[1] else "\\\\", piece)
    return piece if piece.isprintable() else _CONTROL.sub(lambda m: f"\\u{ord(m[0]):04x}", piece)


def measure_depth(value: Any) -> int:
    """How deep lists and dicts are nested; a scalar is 0."""
    depth, level = 0, [value]
    while True:
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            return depth
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]


def count_values(value: Any) -> int:
    """How many values there are in all, this one included."""
    count, level = 0, [value]
    while level:
        count += len(level)
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return count


def encode_json(value: Any) -> str:
    """Compact, in the order of the keys, non-ASCII as it is; a lone half of a surrogate pair as an escape."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, OverflowError, TypeError):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
