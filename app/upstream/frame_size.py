"""A look at a long frame before it is decoded: how many values it holds.

A value of three bytes takes a hundred once it is decoded, and decoding cannot give way. Pure; the time is in
proportion to the length.
"""

from __future__ import annotations

import re

from app.core.errors import UpstreamInvalid

SHORT_BYTES = 16 * 1024
"""So few bytes hold few values."""
# The longest lists of pages have two thousand entries, of two objects and some ten names and values each.
_MAX_OBJECTS = 5_000
_MAX_VALUES = 100_000
# Each value but the first has one of these before it.
_NO_SIGNS = bytes(set(range(256)) - set(b",{["))
# Ends everywhere, so that nothing is looked at twice.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def check_values(document: bytes) -> None:
    """Raises UpstreamInvalid where a frame holds more objects or values than any answer has."""
    if document.count(b"{") > _MAX_OBJECTS or len(document.translate(None, _NO_SIGNS)) > _MAX_VALUES:
        _count_outside_strings(document)


def _count_outside_strings(document: bytes) -> None:
    """What stands in a text is no structure: code has many brackets."""
    objects = values = position = 0
    for string in _STRING.finditer(document):
        between = document[position : string.start()]
        position = string.end()
        objects += between.count(b"{")
        values += 1 + between.count(b",") + between.count(b"{") + between.count(b"[")
        _check(objects, values)
    rest = document[position:]
    objects += rest.count(b"{")
    _check(objects, values + len(rest.translate(None, _NO_SIGNS)))


def _check(objects: int, values: int) -> None:
    if objects > _MAX_OBJECTS or values > _MAX_VALUES:
        raise UpstreamInvalid("The upstream sent a frame of too many values.")
