"""Numbers and texts that a JSON Schema allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from upstream_emulator.filling_pattern import write_match
from upstream_emulator.frame import Json

MAX_TEXT_CHARS = 10_000

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "anna@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "/example",
    "uuid": "5e56234b-34ae-493c-aa4e-3f7ba77b5768",
}


class Unfillable(Exception):
    """No value is known that the schema allows."""


def write_number(nodes: Sequence[Json], number: int, *, is_whole: bool) -> int | float:
    """1 where that is allowed, else the nearest; `number` counts on from there. Raises Unfillable."""
    steps = [abs(step) for step in _list_numbers(nodes, "multipleOf") if step]
    if is_whole:
        steps.append(Fraction(1))
    step = _find_common_step(steps)
    lows = [math.ceil(bound / step) for bound in _list_numbers(nodes, "minimum")]
    lows += [math.floor(bound / step) + 1 for bound in _list_numbers(nodes, "exclusiveMinimum")]
    highs = [math.floor(bound / step) for bound in _list_numbers(nodes, "maximum")]
    highs += [math.ceil(bound / step) - 1 for bound in _list_numbers(nodes, "exclusiveMaximum")]
    if lows and highs and max(lows) > min(highs):
        if steps:
            raise Unfillable
        return _write_between(nodes, number)
    first = min([max([math.ceil(1 / step), *lows]), *highs])
    value = step * _count_on(first, number, lows, highs)
    return int(value) if value.denominator == 1 else float(value)


def _find_common_step(steps: Sequence[Fraction]) -> Fraction:
    """The least common multiple, 1 of none."""
    numerators, denominators = [each.numerator for each in steps], [each.denominator for each in steps]
    return Fraction(math.lcm(*numerators), math.gcd(*denominators) or 1)


def _count_on(first: int, number: int, lows: Sequence[int], highs: Sequence[int]) -> int:
    """Upwards, downwards from the highest, or round and round between two bounds."""
    if not highs:
        return first + number
    if not lows:
        return first - number
    low = max(lows)
    return low + (first - low + number) % (min(highs) - low + 1)


def _write_between(nodes: Sequence[Json], number: int) -> float:
    """Between bounds that have no whole number between them."""
    least = max(_list_numbers(nodes, "minimum") + _list_numbers(nodes, "exclusiveMinimum"))
    most = min(_list_numbers(nodes, "maximum") + _list_numbers(nodes, "exclusiveMaximum"))
    if least > most:
        raise Unfillable
    return float(least + (most - least) * Fraction(number + 1, number + 2))


def _list_numbers(nodes: Sequence[Json], keyword: str) -> list[Fraction]:
    """Floats as they are written: 0.1 is a tenth."""
    found = [node.get(keyword) for node in nodes]
    return [
        Fraction(str(each))
        for each in found
        if isinstance(each, int | float) and not isinstance(each, bool) and math.isfinite(each)
    ]


def write_text(nodes: Sequence[Json], word: str, number: int) -> str:
    """`word`, counted from the second on, or what pattern and format ask for. Raises Unfillable."""
    least = int(max(_list_numbers(nodes, "minLength"), default=0))
    most = int(min(_list_numbers(nodes, "maxLength"), default=MAX_TEXT_CHARS))
    if least > min(most, MAX_TEXT_CHARS):
        raise Unfillable
    text = f"{word} {number + 1}" if number else word
    for node in reversed(nodes):
        if isinstance(pattern := node.get("pattern"), str):
            matching = write_match(pattern, least)
            text = text if matching is None else matching
        elif node.get("format") in _FORMATS:
            text = _FORMATS[node["format"]]
    return text.ljust(least, ".")[:most]
