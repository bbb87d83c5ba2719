"""Answers that have to be JSON: asked for in words, found in the text, checked against the schema.

Nothing is invented: the value stands in the text as it is delivered, but for the three repairs of
`json_text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from app.tools.json_text import JsonScanner, NotJson, Parsed, encode_json, parse_json
from app.tools.schema import Schema, check_schema, name_type
from app.tools.validation import Validation

# A scan that finds no value is repeated from the next bracket on: so often, and so many times the text.
_MAX_BEGINNINGS = 500
_MAX_SCANS = 4

_BRACKET = re.compile(r"[{\[]")

Problem = Literal["no_json", "not_unique", "schema"]


class JsonAnswer(msgspec.Struct, frozen=True):
    """The text to deliver. `is_checked` is False where the schema was too costly or none at all."""

    text: str
    is_checked: bool = True


class JsonInvalid(msgspec.Struct, frozen=True):
    """Why an answer cannot be delivered; `violations` in words, for the correction and the error."""

    problem: Problem
    violations: tuple[str, ...] = ()


class JsonFormat:
    """The output format of one request: any object, or what a schema allows."""

    def __init__(self, schema: Any = None) -> None:
        """Without a `schema` any object. Raises ValueError for one beyond the bounds."""
        self._text = encode_json(schema) if isinstance(schema, dict) else ""
        problem = check_schema(schema, len(self._text))
        if problem is not None:
            raise ValueError(problem)
        self._schema = Schema(schema if isinstance(schema, dict) else {"type": "object"})
        self._validation = Validation(self._schema.root)
        self._types = self._schema.read_types(self._schema.root)

    def write_sentence(self, *, has_tools: bool) -> str:
        """What the prompt says of it, late."""
        what = "one JSON object" if not self._text else "one JSON value that fits this JSON Schema"
        answer = "An answer without a call" if has_tools else "The whole answer"
        sentence = f"{answer} is {what}, by itself and ready for a JSON parser"
        return f"{sentence}:\n{self._text}" if self._text else f"{sentence}."

    def read(self, text: str) -> JsonAnswer | JsonInvalid:
        """The one JSON value of an answer, checked."""
        found = self._find(text.strip())
        if isinstance(found, JsonInvalid):
            return found
        verdict = self._validation.check(found.value)
        if verdict.violations:
            return JsonInvalid("schema", verdict.violations)
        return JsonAnswer(found.text, verdict.is_known)

    def _find(self, text: str) -> Parsed | JsonInvalid:
        """The whole text; else the only value in it of the wanted type, in a fence or among prose."""
        try:
            return parse_json(text)
        except NotJson:
            found = list(_list_values(text))
        wanted = [parsed for parsed in found if self._may_be(parsed.value)] or found
        if not wanted:
            return JsonInvalid("no_json")
        return wanted[0] if len(wanted) == 1 else JsonInvalid("not_unique")

    def _may_be(self, value: Any) -> bool:
        return self._types is None or name_type(value) in self._types


def _list_values(text: str) -> Iterator[Parsed]:
    """The objects and arrays that stand in `text`, none inside of another."""
    place, budget = 0, _MAX_SCANS * len(text)
    for _ in range(_MAX_BEGINNINGS):
        start = _BRACKET.search(text, place)
        if start is None or budget <= 0:
            return
        place = start.start()
        end = JsonScanner().feed(text, place)
        budget -= (end if end > 0 else len(text)) - place
        try:
            parsed = parse_json(text[place:end]) if end > 0 else None
        except NotJson:
            parsed = None
        if parsed is None:
            place += 1
        else:
            yield parsed
            place = end
