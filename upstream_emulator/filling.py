"""An example of what a JSON Schema allows: what the friendly answer says where JSON or a call is insisted on.

The first that is allowed, what is required and little more, and the same every time. Not read are `not`,
`if`, `dependentRequired`, `propertyNames` and that of `oneOf` only one may fit; where a schema wants what
cannot be made, the example is `{}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from upstream_emulator.filling_scalar import Unfillable, write_number, write_text
from upstream_emulator.frame import Json

# Schemas are strangers' and may lead to more values than anybody reads.
MAX_STEPS = 20_000
MAX_CHOICES = 100
MAX_DEPTH = 60

# The types, each with what a value of it is here, and with the keywords that speak of it where none is named.
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "object": (dict,),
    "array": (list,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_ABOUT: dict[str, tuple[str, ...]] = {
    "string": ("pattern", "format", "minLength", "maxLength"),
    "object": ("properties", "required", "additionalProperties", "minProperties"),
    "array": ("items", "prefixItems", "contains", "minItems"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "integer": (),
    "boolean": (),
    "null": (),
}


def fill(schema: Any, word: str = "example") -> Any:
    """A value that `schema` allows; `word` is what texts say."""
    try:
        return _Filling(schema, word).fill([schema])
    except (Unfillable, RecursionError):
        return {}


class _Filling:
    """One schema's example. A value is made of all schemas that speak of it at once."""

    def __init__(self, root: Any, word: str) -> None:
        self._root = root
        self._word = word
        self._steps = 0
        self._depth = 0
        # Values beside one another in an array are counted, so that they differ.
        self._number = 0
        # The references on the way to this value. Whatever has an example has one in which none of them leads
        # to itself again, so that one which does ends the attempt.
        self._open: set[str] = set()

    def fill(
        self, waiting: Sequence[Any], plain: tuple[Json, ...] = (), here: frozenset[str] = frozenset()
    ) -> Any:
        """A value for all of `waiting`, and `plain`: those read so far, without references and choices.

        `here` are the references that speak of this very value. Raises Unfillable.
        """
        waiting = [*waiting]
        while waiting:
            self._count_steps(1)
            match waiting.pop():
                case False:
                    raise Unfillable
                case {"$ref": str(reference)} as node:
                    return self._follow(reference, [*waiting, _without(node, "$ref")], plain, here)
                case {"allOf": list(parts)} as node:
                    waiting += [*parts, _without(node, "allOf")]
                case {"anyOf": list(options)} as node:
                    return self._choose(options, [*waiting, _without(node, "anyOf")], plain, here)
                case {"oneOf": list(options)} as node:
                    return self._choose(options, [*waiting, _without(node, "oneOf")], plain, here)
                case dict() as node:
                    plain = (*plain, node)
        return self._make(plain)

    def _count_steps(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise Unfillable

    def _follow(self, reference: str, rest: list[Any], plain: tuple[Json, ...], here: frozenset[str]) -> Any:
        if reference in here:
            return self.fill(rest, plain, here)
        if reference in self._open:
            raise Unfillable
        self._open.add(reference)
        try:
            return self.fill([*rest, self._find(reference)], plain, here | {reference})
        finally:
            self._open.discard(reference)

    def _find(self, reference: str) -> Any:
        """What `#` or `#/a/b` points at; other documents allow anything."""
        node = self._root
        for step in unquote(reference).removeprefix("#").split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list):
                is_place = key.isdecimal() and len(key) < 6 and int(key) < len(node)
                node = node[int(key)] if is_place else True
            else:
                node = node.get(key, True) if isinstance(node, dict) else True
        return node

    def _choose(
        self, options: list[Any], rest: list[Any], plain: tuple[Json, ...], here: frozenset[str]
    ) -> Any:
        """By the first option that has an example, null last."""
        for option in sorted(options, key=_is_null):
            try:
                return self.fill([*rest, option], plain, here)
            except Unfillable:
                continue
        raise Unfillable

    def _make(self, nodes: tuple[Json, ...]) -> Any:
        kinds = _list_kinds(nodes)
        lists = [[value] for value in _list_found(nodes, "const")] + _list_found(nodes, "enum", list)
        if lists:
            return self._pick(lists, kinds)
        if not kinds:
            raise Unfillable
        with self._deeper():
            match kinds[0]:
                case "object":
                    return self._object(nodes)
                case "array":
                    return self._array(nodes)
                case "boolean":
                    return self._number % 2 == 0
                case "null":
                    return None
                case "string":
                    return write_text(nodes, self._word, self._number)
        return write_number(nodes, self._number, is_whole="number" not in kinds)

    def _pick(self, lists: list[list[Any]], kinds: list[str]) -> Any:
        """A value of the first list that is in the others too."""
        values = lists[0][:MAX_CHOICES]
        self._count_steps(len(values))
        fitting = [value for value in values if all(value in each for each in lists) and _fits(value, kinds)]
        if not fitting:
            raise Unfillable
        return fitting[self._number % len(fitting)]

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                raise Unfillable
            yield
        finally:
            self._depth -= 1

    def _object(self, nodes: tuple[Json, ...]) -> Json:
        """What is required; at the top all of it where nothing is, so that there is something to see."""
        required = [
            name for names in _list_found(nodes, "required", list) for name in names if isinstance(name, str)
        ]
        declared = [name for names in _list_found(nodes, "properties", dict) for name in names]
        wanted = max((0, *_list_found(nodes, "minProperties", int)))
        more = [] if required or self._depth > 1 else declared
        filled: Json = {}
        for name in dict.fromkeys([*required, *more]):
            self._put(filled, name, nodes, is_required=name in required)
        spare = [*declared, *(f"{self._word}{number}" for number in range(1, min(wanted, MAX_STEPS) + 1))]
        for name in spare:
            if len(filled) < wanted and name not in filled:
                self._put(filled, name, nodes, is_required=False)
        if len(filled) < wanted:
            raise Unfillable
        return filled

    def _put(self, filled: Json, name: str, nodes: tuple[Json, ...], *, is_required: bool) -> None:
        try:
            filled[name] = self.fill(list(_list_member_schemas(nodes, name)))
        except Unfillable:
            if is_required:
                raise

    def _array(self, nodes: tuple[Json, ...]) -> list[Any]:
        """One item, or as many as are wanted; none where one cannot be made and need not."""
        contained = _list_found(nodes, "contains")
        least = max((0, *_list_found(nodes, "minItems", int)))
        if contained:
            least = max(least, 1, *_list_found(nodes, "minContains", int))
        most = min((max(least, 1, _count_first(nodes)), *_list_found(nodes, "maxItems", int)))
        items: list[Any] = []
        outer = self._number
        try:
            for place in range(most):
                self._number = outer + place
                items.append(self.fill([*_list_item_schemas(nodes, place), *contained]))
        except Unfillable:
            if len(items) < least:
                raise
        finally:
            self._number = outer
        return items


def _list_found(nodes: Iterable[Json], keyword: str, kind: type = object) -> list[Any]:
    """What they say under a keyword, where it is of that kind."""
    found = [node[keyword] for node in nodes if keyword in node]
    return [each for each in found if isinstance(each, kind) and not (kind is int and each is True)]


def _list_member_schemas(nodes: Iterable[Json], name: str) -> Iterator[Any]:
    for node in nodes:
        properties = node.get("properties")
        if isinstance(properties, dict) and name in properties:
            yield properties[name]
        elif "additionalProperties" in node and "patternProperties" not in node:
            yield node["additionalProperties"]


def _list_item_schemas(nodes: Iterable[Json], place: int) -> Iterator[Any]:
    """In the vocabulary of 2020-12, and of the ones before, where a list of `items` are the first ones."""
    for node in nodes:
        first, rest = _read_items(node)
        yield first[place] if place < len(first) else rest


def _count_first(nodes: Iterable[Json]) -> int:
    return max((len(_read_items(node)[0]) for node in nodes), default=0)


def _read_items(node: Json) -> tuple[list[Any], Any]:
    items = node.get("items", True)
    if isinstance(items, list):
        return items, node.get("additionalItems", True)
    first = node.get("prefixItems")
    return (first if isinstance(first, list) else []), items


def _list_kinds(nodes: tuple[Json, ...]) -> list[str]:
    """The types that all of them allow, null last; the likeliest first where none is named."""
    named = [each if isinstance(each, list) else [each] for each in _list_found(nodes, "type")]
    if not named:
        return sorted(_TYPES, key=lambda kind: not any(key in node for key in _ABOUT[kind] for node in nodes))
    # Whatever allows numbers allows whole ones.
    wide = [[*each, "integer"] if "number" in each else each for each in named]
    return sorted(
        (kind for kind in wide[0] if isinstance(kind, str) and all(kind in each for each in [_TYPES, *wide])),
        key=lambda kind: kind == "null",
    )


def _fits(value: Any, kinds: list[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _TYPES[kind]) for kind in kinds)


def _is_null(option: Any) -> bool:
    return isinstance(option, dict) and (option.get("type") == "null" or option.get("const", 0) is None)


def _without(node: Json, keyword: str) -> Json:
    return {key: found for key, found in node.items() if key != keyword}
