"""One PDF object at the beginning of some bytes (ISO 32000-2, 7.3), as far as encryption needs it. Pure."""

from __future__ import annotations

import re

PdfDict = dict[str, object]

_MAX_DEPTH = 8
_SPACE = re.compile(rb"(?:[\s\0]++|%[^\r\n]*+)*+")
_TOKEN = re.compile(
    rb"(?P<open><<|\[)|(?P<close>>>|\])|/(?P<name>[^\s\0()<>\[\]{}/%]*)|<(?P<hex>[0-9A-Fa-f\s]*)>|(?P<string>\()"
    rb"|(?P<reference>\d{1,10}\s+\d{1,5}\s+R\b)|(?P<number>[+-]?\d{1,18})(?:\.\d*)?|(?P<word>true|false|null)"
)
_LITERAL = re.compile(rb"[^()\\]++|\\(?:[0-7]{1,3}|\r\n|.)|[()]", re.DOTALL)
_ESCAPES = {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"b": b"\b",
    b"f": b"\f",
    b"\n": b"",
    b"\r": b"",
    b"\r\n": b"",
}
_WORDS = {b"true": True, b"false": False}


def parse_object(data: bytes) -> object:
    """Names as str, strings as bytes, numbers whole; None for what is null, a reference or no object."""
    try:
        return _Parser(data).parse()
    except (ValueError, RecursionError):
        return None


class _Parser:
    """Raises ValueError where the bytes are no object, or one that is too deep."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._depth = 0

    def parse(self) -> object:
        value = self._next()
        if value is _CLOSE:
            raise ValueError
        return value

    def _next(self) -> object:
        space = _SPACE.match(self._data, self._position)
        token = _TOKEN.match(self._data, space.end() if space else self._position)
        if token is None:
            raise ValueError
        self._position = token.end()
        if token["open"]:
            members = self._parse_members()
            return members if token[0] == b"[" else _pair(members)
        if token["close"]:
            return _CLOSE
        return self._parse_literal() if token["string"] else _read_simple(token)

    def _parse_members(self) -> list[object]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError
        members: list[object] = []
        while (member := self._next()) is not _CLOSE:
            members.append(member)
        self._depth -= 1
        return members

    def _parse_literal(self) -> bytes:
        text, depth = bytearray(), 1
        while True:
            piece = _LITERAL.match(self._data, self._position)
            if piece is None:
                raise ValueError
            self._position = piece.end()
            said = piece[0]
            depth += (said == b"(") - (said == b")")
            if depth == 0:
                return bytes(text)
            text += _unescape(said[1:]) if said.startswith(b"\\") else said


_CLOSE = object()


def _read_simple(token: re.Match[bytes]) -> object:
    match token.lastgroup:
        case "name":
            return token["name"].decode("latin-1")
        case "hex":
            digits = b"".join(token["hex"].split())
            return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
        case "number":
            return int(token["number"])
        case _:
            return _WORDS.get(token[0])


def _unescape(escaped: bytes) -> bytes:
    if escaped[:1].isdigit() and escaped[:1] < b"8":
        return bytes([int(escaped, 8) & 0xFF])
    return _ESCAPES.get(escaped, escaped)


def _pair(members: list[object]) -> PdfDict:
    names, values = members[::2], members[1::2]
    return {name: value for name, value in zip(names, values, strict=False) if isinstance(name, str)}
