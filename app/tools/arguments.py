"""From what the model wrote in a call to arguments that the client can read.

Readable arguments are delivered even where they do not fit the schema: the client's own validator tells the
model best, and tools often take more than their schema says. Unreadable ones are told as such; they never
become `{}` and never a guess.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from app.core.tool import CUSTOM_INPUT, Tool
from app.tools.coercion import coerce_value
from app.tools.json_text import JsonScanner, NotJson, encode_json, parse_json
from app.tools.schema import Schema
from app.tools.validation import Validation, Verdict

Reason = Literal["not_json", "not_an_object", "missing", "unclosed", "too_long", "unknown_name"]

_MAX_OBJECTS = 2
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+("?)|[\[\]{}]', re.DOTALL)
_CLOSING = {"[": "]", "{": "}"}
_FITS = Verdict()


class Arguments(msgspec.Struct, frozen=True):
    """What one call carries, ready for the client, and what was done to it."""

    text: str
    coerced: int = 0
    is_repaired: bool = False
    verdict: Verdict = _FITS


class Unreadable(msgspec.Struct, frozen=True):
    """Why nothing can be delivered. For the log and the correction; never holds what was written."""

    reason: Reason
    chars: int


class ArgumentReader:
    """Reads the arguments of one tool. Made for a tool that was called: the schema is worked out here."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._schema = Schema(tool.offered_parameters)
        self._validation = Validation(self._schema.root)

    def read(self, body: str, *, closes_missing: bool = False) -> tuple[Arguments, ...] | Unreadable:
        """The JSON text of a call's body; two where two objects in a row fit the schema.

        `closes_missing` adds brackets that are missing at the very end, for text of which the upstream says
        that it is whole (protocol notes 0.2 row 9).
        """
        text = body.strip()
        if self._tool.kind == "custom" and not text.startswith("{"):
            return (Arguments(_read_free(body)),) if text else Unreadable("missing", len(body))
        if not text or text == "null":
            return self._read_nothing(len(body))
        try:
            parsed = parse_json(text)
        except NotJson:
            return self._read_damaged(text, closes_missing=closes_missing)
        value = _unwrap(parsed.value)
        if not isinstance(value, dict):
            return Unreadable("not_an_object", len(body))
        return (self._finish(value, body, is_repaired=parsed.is_repaired),)

    def read_pairs(self, pairs: dict[str, str]) -> Arguments:
        """Arguments that came as texts by name, as GLM's native form has them; `null` by its text."""
        value: dict[str, Any] = dict(pairs)
        for key, text in pairs.items():
            if text == "null" and "null" in (self._read_types(key) or ()):
                value[key] = None
        return self._finish(value, "", is_repaired=False)

    def _read_types(self, key: str) -> frozenset[str] | None:
        properties = self._schema.root.get("properties")
        return self._schema.read_types(properties.get(key)) if isinstance(properties, dict) else None

    def _read_nothing(self, chars: int) -> tuple[Arguments, ...] | Unreadable:
        if not self._schema.requires_nothing:
            return Unreadable("missing", chars)
        return (Arguments("{}"),)

    def _read_damaged(self, text: str, *, closes_missing: bool) -> tuple[Arguments, ...] | Unreadable:
        found = _split_objects(text)
        if len(found) == _MAX_OBJECTS:
            read = tuple(self._finish(value, text, is_repaired=False) for value in found)
            if all(each.verdict.is_known and not each.verdict.violations for each in read):
                return read
        if closes_missing and (closed := _close(text)) is not None:
            whole = self.read(closed)
            if not isinstance(whole, Unreadable):
                return whole
        return Unreadable("not_json", len(text))

    def _finish(self, value: dict[str, Any], body: str, *, is_repaired: bool) -> Arguments:
        coerced = coerce_value(value, self._schema)
        if self._tool.kind == "custom":
            given = coerced.value.get(CUSTOM_INPUT)
            is_given = isinstance(given, str) and len(coerced.value) == 1
            return Arguments(given if is_given else body, 0, is_repaired)
        verdict = self._validation.check(coerced.value)
        return Arguments(encode_json(coerced.value), coerced.changes, is_repaired, verdict)


def _read_free(body: str) -> str:
    """Free text as it stands in the body, without the line breaks around it; a JSON string is its content."""
    try:
        value = parse_json(body).value if body.lstrip().startswith('"') else None
    except NotJson:
        value = None
    return value if isinstance(value, str) else body.strip("\r\n")


def _unwrap(value: Any) -> Any:
    """An object that was put into a string, or alone into a list, out of it: each once."""
    if isinstance(value, str):
        try:
            value = parse_json(value).value
        except NotJson:
            return value
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        return value[0]
    return value


def _split_objects(text: str) -> list[dict[str, Any]]:
    """The objects that stand in a row in `text`; none where anything else stands there."""
    found: list[dict[str, Any]] = []
    place = 0
    while place < len(text) and len(found) <= _MAX_OBJECTS:
        end = JsonScanner().feed(text, place) if text[place] == "{" else -1
        try:
            value = parse_json(text[place:end]).value if end > place else None
        except NotJson:
            value = None
        if not isinstance(value, dict):
            return []
        found.append(value)
        place = len(text) - len(text[end:].lstrip())
    return found


def _close(text: str) -> str | None:
    """`text` with the brackets that it leaves open, where it ends outside of a string and behind a value."""
    missing: list[str] = []
    for match in _STRING_OR_BRACKET.finditer(text):
        mark = match[0]
        if mark in _CLOSING:
            missing.append(_CLOSING[mark])
        elif mark in ("]", "}"):
            if not missing or missing.pop() != mark:
                return None
        elif not match[1]:
            return None
    return None if not missing or text[-1] in ",:{[" else text + "".join(reversed(missing))
