"""A tool's JSON Schema, which is hostile input: references resolved, types read, views flattened, bounded.

Only references into the same document are followed (`#` and `#/...`); nothing is ever fetched. A schema
beyond the bounds is refused before a prompt is made of it (`check_schema`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from app.tools.json_text import measure_depth

MAX_SCHEMA_DEPTH = 64
MAX_SCHEMA_CHARS = 256 * 1024
_MAX_REFERENCES = 50
_MAX_UNIONS = 100
_MAX_VIEWS = 1_000

Node = dict[str, Any]

TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
# Where one keyword holds schemas that are about the same value, and those about a part of it.
IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
IN_PLACE_SINGLE = ("not", "if", "then", "else")
IN_PLACE_MAPS = ("dependentSchemas",)
CHILD_SINGLE = (
    "additionalProperties", "unevaluatedProperties", "propertyNames", "items", "additionalItems",
    "unevaluatedItems", "contains",
)  # fmt: skip
CHILD_LISTS = ("prefixItems", "items")
CHILD_MAPS = ("properties", "patternProperties")
DEFINITIONS = ("$defs", "definitions")


def check_schema(schema: Any, chars: int) -> str | None:
    """What is wrong with a schema whose compact text has `chars` characters; None where it may be used."""
    if chars > MAX_SCHEMA_CHARS:
        return f"its schema has {chars} characters; at most {MAX_SCHEMA_CHARS} are allowed"
    # Each level costs at least five characters (`{"":{`), so that most schemas need not be walked.
    if chars > MAX_SCHEMA_DEPTH and measure_depth(schema) > MAX_SCHEMA_DEPTH:
        return f"its schema is nested deeper than {MAX_SCHEMA_DEPTH} levels"
    return None


def list_in_place(node: Node) -> Iterator[Any]:
    """The schemas that speak about the same value as `node`, references aside."""
    for keyword in IN_PLACE_LISTS:
        if isinstance(found := node.get(keyword), list):
            yield from found
    for keyword in IN_PLACE_SINGLE:
        if keyword in node:
            yield node[keyword]
    for keyword in IN_PLACE_MAPS:
        if isinstance(found := node.get(keyword), dict):
            yield from found.values()


def list_children(node: Node) -> Iterator[Any]:
    """The schemas that speak about a part of the value."""
    for keyword in CHILD_SINGLE:
        if isinstance(found := node.get(keyword), dict):
            yield found
    for keyword in CHILD_LISTS:
        if isinstance(found := node.get(keyword), list):
            yield from found
    for keyword in CHILD_MAPS:
        if isinstance(found := node.get(keyword), dict):
            yield from found.values()


# Shared, since what is known of a node is kept by its identity.
_ANYTHING: Node = {}


class Schema:
    """One document, read as far as arguments are typed by it."""

    def __init__(self, root: Any) -> None:
        self.root: Node = root if isinstance(root, dict) else _ANYTHING
        # By identity: the nodes live as long as the document; `_kept` holds those that were made here.
        self._types: dict[int, frozenset[str] | None] = {}
        self._views: dict[int, tuple[Node, ...]] = {}
        self._kept: list[Node] = []
        self._targets: dict[str, Any] = {}
        self._unions = 0

    def resolve(self, node: Any) -> Node:
        """`node` behind its references; {} for whatever is no schema or leads nowhere."""
        for _ in range(_MAX_REFERENCES):
            if not isinstance(node, dict):
                return _ANYTHING
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            if reference not in self._targets:
                self._targets[reference] = find_reference(self.root, reference)
            node = self._targets[reference]
        return _ANYTHING

    def join(self, nodes: list[Any]) -> Node:
        """A schema that allows what any of `nodes` allows."""
        if len(nodes) < 2:
            return self.resolve(nodes[0]) if nodes else _ANYTHING
        joined: Node = {"anyOf": nodes}
        self._kept.append(joined)
        return joined

    def read_types(self, node: Any) -> frozenset[str] | None:
        """The types that `node` allows, None for any."""
        node = self.resolve(node)
        key = id(node)
        if key not in self._types and self._unions < _MAX_UNIONS:
            self._types[key] = None  # what a schema says of itself by a reference to itself
            self._unions += 1
            self._types[key] = self._work_out_types(node) or None
            self._unions -= 1
        return self._types.get(key)

    def _work_out_types(self, node: Node) -> frozenset[str] | None:
        types = _read_own_types(node)
        for keyword in ("anyOf", "oneOf"):
            if isinstance(options := node.get(keyword), list) and options:
                types = _intersect(types, self._unite(options))
        for part in node["allOf"] if isinstance(node.get("allOf"), list) else ():
            types = _intersect(types, self.read_types(part))
        return types

    def _unite(self, options: list[Any]) -> frozenset[str] | None:
        united: frozenset[str] = frozenset()
        for option in options:
            types = self.read_types(option)
            if types is None:
                return None
            united |= types
        return united

    def list_views(self, node: Any) -> tuple[Node, ...]:
        """`node` and all that its allOf, anyOf and oneOf say of the same value, flat and bounded."""
        node = self.resolve(node)
        if id(node) not in self._views:
            seen: dict[int, Node] = {}
            waiting = [node]
            while waiting and len(seen) < _MAX_VIEWS:
                view = self.resolve(waiting.pop())
                if id(view) in seen:
                    continue
                seen[id(view)] = view
                for keyword in IN_PLACE_LISTS:
                    if isinstance(parts := view.get(keyword), list):
                        waiting.extend(reversed(parts))
            self._views[id(node)] = tuple(seen.values())
        return self._views[id(node)]

    @property
    def requires_nothing(self) -> bool:
        """Whether an object without any key may be right, as far as `required` says."""
        return not any(view.get("required") for view in self.list_views(self.root))


def find_reference(root: Node, reference: str) -> Any:
    """What `#` or `#/a/b` points at; None for everything else, other documents before all."""
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        return None
    node: Any = root
    for step in unquote(reference[2:]).split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(key)
        elif isinstance(node, list) and key.isdecimal() and len(key) < 6 and int(key) < len(node):
            node = node[int(key)]
        else:
            return None
    return node


def name_type(value: Any) -> str:
    """The JSON type of a value; a float without a fraction is an integer, as JSON Schema counts."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _read_own_types(node: Node) -> frozenset[str] | None:
    declared = node.get("type")
    if isinstance(declared, str):
        declared = [declared]
    if isinstance(declared, list) and declared:
        types = frozenset(name for name in declared if isinstance(name, str)) & TYPES
        types |= {"integer"} if "number" in types else set()
        return types | {"null"} if node.get("nullable") is True else types
    if "const" in node:
        return frozenset({name_type(node["const"])})
    if isinstance(allowed := node.get("enum"), list) and allowed:
        return frozenset(map(name_type, allowed))
    if "properties" in node:
        return frozenset({"object"})
    return frozenset({"array"}) if "items" in node or "prefixItems" in node else None


def _intersect(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
