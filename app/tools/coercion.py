"""Values as the schema wants them, where the model wrote the right thing in the wrong type.

The upstream's native calls carry every value as text, and models quote numbers, wrap lists and misspell keys.
What a schema allows as it is stays as it is, strings to the byte; nothing is guessed by looks: `"123"`
becomes a number only where a number is wanted and no string allowed.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import msgspec

from app.tools.json_text import MAX_DEPTH, NotJson, encode_json, measure_depth, parse_json
from app.tools.schema import MAX_SCHEMA_CHARS, Node, Schema, name_type

_MAX_STEPS = 100_000
_MAX_LITERAL_CHARS = 64 * 1024
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,400})(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,4})?")
_ITEM = re.compile(r"\s*<item>(.*?)</item>\s*,?", re.DOTALL)
_NOTHING = object()


class Coerced(msgspec.Struct, frozen=True):
    """The value, and how many places of it were changed."""

    value: Any
    changes: int


class _TooMuchWork(Exception):
    pass


def coerce_value(value: Any, schema: Schema) -> Coerced:
    """`value` typed by `schema`, top-down. Beyond the bound of work it comes back as it was."""
    coercion = _Coercion(schema)
    try:
        return Coerced(coercion.coerce(value, schema.root), coercion.changes)
    except _TooMuchWork:
        return Coerced(value, 0)


class _Coercion:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._steps = 0
        self.changes = 0

    def coerce(self, value: Any, node: Any) -> Any:
        self._spend(1)
        fitting = self._fit(value, node)
        if fitting is not value:
            self.changes += 1
        if isinstance(fitting, dict):
            return self._coerce_object(fitting, node)
        if isinstance(fitting, list):
            return self._coerce_array(fitting, node)
        return fitting

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MAX_STEPS:
            raise _TooMuchWork

    def _fit(self, value: Any, node: Any) -> Any:
        """`value` in a type that is allowed, itself where it is or where there is none."""
        types = self._schema.read_types(node)
        if types is None or name_type(value) in types:
            return value
        if isinstance(value, str):
            self._spend(len(value) // 100)
            for read in _READERS:
                found = read(value, types)
                if found is not _NOTHING:
                    return found
        elif value is not None and "string" in types and types <= {"string", "null"}:
            return encode_json(value)
        return self._wrap(value, node, types)

    def _wrap(self, value: Any, node: Any, types: frozenset[str]) -> Any:
        """A single value where a list of such values is wanted."""
        if "array" not in types or value is None or isinstance(value, list):
            return value
        item = self._join_items(self._schema.list_views(node), 0)
        allowed = self._schema.read_types(item)
        fitting = self._fit(value, item) if allowed is not None else value
        return [fitting] if allowed is None or name_type(fitting) in allowed else value

    def _coerce_array(self, value: list[Any], node: Any) -> list[Any]:
        views = self._schema.list_views(node)
        self._spend(len(views))
        fixed = min(len(value), max(len(_list_fixed(view)) for view in views))
        rest = self._join_items(views, MAX_SCHEMA_CHARS)
        items = [self._join_items(views, index) for index in range(fixed)]
        return [self.coerce(item, items[i] if i < fixed else rest) for i, item in enumerate(value)]

    def _join_items(self, views: tuple[Node, ...], index: int) -> Node:
        """What is said of the item at `index`."""
        nodes = []
        for view in views:
            fixed = _list_fixed(view)
            rest = view.get("items") if isinstance(view.get("items"), dict) else view.get("additionalItems")
            if index < len(fixed):
                nodes.append(fixed[index])
            elif isinstance(rest, dict):
                nodes.append(rest)
        return self._schema.join(nodes)

    def _coerce_object(self, value: dict[str, Any], node: Any) -> dict[str, Any]:
        views = list(self._schema.list_views(node))
        fitting = [view for view in views if self._may_describe(view, value)]
        views = fitting if any("properties" in view for view in fitting) else views
        declared: dict[str, list[Any]] = {}
        others = []
        for view in views:
            properties = view.get("properties")
            if isinstance(properties, dict):
                self._spend(len(properties))
                for key, child in properties.items():
                    declared.setdefault(key, []).append(child)
            if isinstance(view.get("additionalProperties"), dict):
                others.append(view["additionalProperties"])
        named = self._rename(value, declared)
        rest = self._schema.join(others)
        return {
            key: self.coerce(item, self._schema.join(declared[key]) if key in declared else rest)
            for key, item in named.items()
        }

    def _may_describe(self, view: Node, value: dict[str, Any]) -> bool:
        """False for the options of a union that a constant of theirs rules out."""
        self._spend(1)
        properties = view.get("properties")
        if not isinstance(properties, dict):
            return True
        self._spend(len(properties))
        for key, child in properties.items():
            child = self._schema.resolve(child)  # noqa: PLW2901
            if key in value and "const" in child and child["const"] != value[key]:
                return False
        return True

    def _rename(self, value: dict[str, Any], declared: dict[str, list[Any]]) -> dict[str, Any]:
        """Keys that differ from exactly one declared key, missing so far, by case, `_` and `-` alone."""
        unknown = [key for key in value if key not in declared]
        if not unknown or not declared:
            return value
        folded: dict[str, list[str]] = {}
        for key in declared:
            folded.setdefault(_fold(key), []).append(key)
        names: dict[str, str] = {}
        for key in unknown:
            meant = folded.get(_fold(key), [])
            if len(meant) == 1 and meant[0] not in value and meant[0] not in names.values():
                names[key] = meant[0]
        self.changes += len(names)
        return {names.get(key, key): item for key, item in value.items()} if names else value


def _list_fixed(view: Node) -> list[Any]:
    """The schemas of the first items, each its own; `items` held them before 2020-12."""
    fixed = view.get("prefixItems", view.get("items"))
    return fixed if isinstance(fixed, list) else []


def _fold(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _read_scalar(text: str, types: frozenset[str]) -> Any:
    text = text.strip()
    if "boolean" in types and len(text) < 6 and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if "null" in types and text == "null":
        return None
    if "integer" in types and len(text) < 1_000 and _NUMBER.fullmatch(text):
        return _read_number(text, is_whole="number" not in types)
    return _NOTHING


def _read_number(text: str, *, is_whole: bool) -> Any:
    if text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    if not math.isfinite(number) or (is_whole and not number.is_integer()):
        return _NOTHING
    return int(number) if is_whole else number


def _read_structure(text: str, types: frozenset[str]) -> Any:
    """A list or an object that was written as text, in JSON or as Python shows it."""
    text = text.strip()
    if not text.startswith(("[", "{")) or not types & {"array", "object"}:
        return _NOTHING
    try:
        value = parse_json(text).value
    except NotJson:
        value = _read_literal(text)
    return value if name_type(value) in types and isinstance(value, list | dict) else _NOTHING


def _read_literal(text: str) -> Any:
    """Python's own spelling, `{'a': True}`: only what JSON knows as well."""
    if len(text) > _MAX_LITERAL_CHARS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if _is_json(value) and measure_depth(value) <= MAX_DEPTH else None


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)


def _read_items(text: str, types: frozenset[str]) -> Any:
    """`<item>a</item>,<item>b</item>`, as the site's native calls write lists; each item is text or JSON."""
    if "array" not in types or "<item>" not in text:
        return _NOTHING
    items, place = [], 0
    while match := _ITEM.match(text, place):
        items.append(match[1])
        place = match.end()
    return items if items and not text[place:].strip() else _NOTHING


_READERS: tuple[Callable[[str, frozenset[str]], Any], ...] = (_read_scalar, _read_structure, _read_items)
