"""Calls in the form that GLM was trained on, and in an older JSON form: foreign, but understood."""

from __future__ import annotations

import re
from typing import Any

PAIR_OPENER = "<arg_key>"
NATIVE_CLOSER = "</tool_call>"

# A value ends where another pair or the end follows: what looks like its end may stand in it.
_PAIR = re.compile(
    r"\s*<arg_key>([^<>]{1,200})</arg_key>\s*<arg_value>(.*?)</arg_value>(?=\s*(?:<arg_key>|\Z))", re.DOTALL
)
_NAMED = re.compile(r'"name"\s{0,8}:\s{0,8}"([^"\\]{1,128})"')


def read_pairs(text: str) -> dict[str, str] | None:
    """`<arg_key>K</arg_key><arg_value>V</arg_value>...` as texts by name, to the byte; None if not that."""
    pairs: dict[str, str] = {}
    place = 0
    while match := _PAIR.match(text, place):
        pairs[match[1].strip()] = match[2]
        place = match.end()
    return pairs if pairs and not text[place:].strip() else None


def read_named(value: Any) -> tuple[str, Any] | None:
    """Name and arguments of `{"name": ..., "arguments": ...}`; `parameters` is what some call the latter."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    if not value.keys() <= {"name", "arguments", "parameters", "type", "id"}:
        return None
    return value["name"], value.get("arguments", value.get("parameters"))


def read_function_call(value: Any) -> tuple[str, Any] | None:
    """Name and arguments of `{"function_call": {...}}`."""
    if not isinstance(value, dict) or value.keys() != {"function_call"}:
        return None
    return read_named(value["function_call"])


def find_name(text: str) -> str | None:
    """The name in JSON that cannot be read."""
    match = _NAMED.search(text[:100_000])
    return match[1] if match else None
