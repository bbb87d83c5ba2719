"""The readings of a text in which a secret may be found, each knowing where in the text its characters stand.

A secret comes back as it was sent, in another case, URL-encoded in part or throughout, with the escapes of
JSON, HTML or Python, split by line feeds or blanks, or as base64. Pure.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence

import msgspec

# An escape within an escape, as where JSON is quoted in JSON, and once more.
_MAX_ROUNDS = 3
_ESCAPE = re.compile(
    r"%(?P<url>[0-9a-fA-F]{2})"
    r"|\\u(?P<json>[0-9a-fA-F]{4})"
    r"|\\x(?P<python>[0-9a-fA-F]{2})"
    r"|&#x(?P<html>[0-9a-fA-F]{1,5});"
    r"|&#(?P<decimal>[0-9]{1,6});"
    r"|\\(?P<single>[/\\\"'bfnrt])"
    # What nobody sees: blanks, controls, and what only steers how a line is shown.
    r"|(?P<blank>[\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+)"
)
_KEPT_SINGLES = "/\\\"'"
_MIN_BASE64_CHARS = 16
_BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{{_MIN_BASE64_CHARS},}}")
_FROM_URL_BASE64 = str.maketrans("-_", "+/")
# What base64 was made of other bytes than of a secret's is noise, which is seldom readable for long.
_MIN_READABLE_BYTES = 12
_READABLE = re.compile(rb"[\x21-\x7e]{%d,}" % _MIN_READABLE_BYTES)
_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Reading(msgspec.Struct, frozen=True):
    """`text` is in lower case; its character `i` stands at `starts[i]` up to `ends[i]` of the original."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def list_readings(text: str) -> Iterator[Reading]:
    """As it stands; without escapes and blanks; and what base64 in it says."""
    count = len(text)
    plain = Reading(text, range(count), range(1, count + 1))
    yield _lower(plain)
    bare = _strip(plain)
    if bare is not plain:
        yield _lower(bare)
    yield from _decode(bare)


def fold(secret: str) -> set[str]:
    """The texts of a secret that are looked for in the readings."""
    if is_plain(secret):
        return {secret.lower()}
    forms = {secret, secret.encode("utf-8", "replace").decode("latin-1")}
    return {reading.text for form in forms for reading in _list_plain(form)}


def is_plain(text: str) -> bool:
    """Whether nothing in it is an escape or a blank; most tokens are so, and it is quickly seen."""
    is_printable = text.isascii() and text.isprintable()
    return is_printable and not ("%" in text or "\\" in text or "&" in text or " " in text)


def _list_plain(text: str) -> Iterator[Reading]:
    plain = Reading(text, range(len(text)), range(1, len(text) + 1))
    yield _lower(plain)
    yield _lower(_strip(plain))


def _lower(reading: Reading) -> Reading:
    """ASCII alone beyond ASCII: other letters may change their number of characters."""
    text = reading.text
    return Reading(
        text.lower() if text.isascii() else text.translate(_TO_LOWER), reading.starts, reading.ends
    )


def _strip(reading: Reading) -> Reading:
    for _ in range(_MAX_ROUNDS):
        if is_plain(reading.text) or _ESCAPE.search(reading.text) is None:
            break
        reading = _replace_escapes(reading)
    return reading


def _replace_escapes(reading: Reading) -> Reading:
    text, done = reading.text, 0
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for found in _ESCAPE.finditer(text):
        begin, end = found.span()
        pieces.append(text[done:begin])
        starts += reading.starts[done:begin]
        ends += reading.ends[done:begin]
        if character := _read_escape(found):
            pieces.append(character)
            starts.append(reading.starts[begin])
            ends.append(reading.ends[end - 1])
        done = end
    pieces.append(text[done:])
    starts += reading.starts[done:]
    ends += reading.ends[done:]
    return Reading("".join(pieces), starts, ends)


def _read_escape(found: re.Match[str]) -> str:
    """The one character that is meant, empty for a blank."""
    kind = found.lastgroup or ""
    digits = found[kind]
    if kind == "blank":
        return ""
    if kind == "single":
        return digits if digits in _KEPT_SINGLES else ""
    return chr(int(digits, 10 if kind == "decimal" else 16))


def _decode(reading: Reading) -> Iterator[Reading]:
    """Where words stand before it, base64 may begin at any of four characters."""
    for run in _BASE64.finditer(reading.text):
        characters = run[0].translate(_FROM_URL_BASE64)
        for skipped in range(4):
            yield from _decode_from(reading, characters[skipped:], run.start() + skipped)


def _decode_from(reading: Reading, characters: str, begin: int) -> Iterator[Reading]:
    if len(characters) % 4 == 1:
        characters = characters[:-1]
    decoded = binascii.a2b_base64(characters + "=" * (-len(characters) % 4))
    for readable in _READABLE.finditer(decoded):
        places = range(*readable.span())
        yield Reading(
            readable[0].decode("ascii").lower(),
            [reading.starts[begin + place * 4 // 3] for place in places],
            [reading.ends[begin + (place * 8 + 7) // 6] for place in places],
        )
