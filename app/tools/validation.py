"""Whether a value fits a schema, asked of jsonschema-rs: offline, regular expressions linear, work bounded.

The schema is a stranger's and so is the value, so a validator gets a copy that is free of what could hang it:
references into other documents, identifiers that would make inner ones lead there, and regular expressions
that the linear engine cannot read. What that copy would cost is counted before; beyond the bound nothing is
said.
"""

from __future__ import annotations

from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import msgspec

from app.tools.json_text import count_values, measure_depth
from app.tools.schema import (
    CHILD_LISTS,
    CHILD_MAPS,
    CHILD_SINGLE,
    DEFINITIONS,
    IN_PLACE_LISTS,
    IN_PLACE_MAPS,
    IN_PLACE_SINGLE,
    MAX_SCHEMA_DEPTH,
    Node,
    find_reference,
    list_children,
    list_in_place,
)

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

MAX_REFERENCE_PATHS = 10_000
# The validator follows references on the machine's stack, and takes its time over nested errors.
MAX_REFERENCE_CHAIN = 200
MAX_PATTERN_CHARS = 1_000
MAX_VIOLATIONS = 5
MAX_VIOLATION_CHARS = 300
# Values times schemas, the worst that comparing each with each may take: about a tenth of a second.
_MAX_WORK = 500_000
# Listing every violation of a long value takes long, the first one does not.
_MAX_LISTED_WORK = 20_000
_MAX_COUNTING_STEPS = 50_000
_REGEX_BYTES = 256 * 1024
_ROOT = "#"
_DROPPED = frozenset(
    {"$id", "id", "$schema", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary", "$dynamicRef",
     "$recursiveRef", "format", "default", "examples", "title", "description", "$comment"}
)  # fmt: skip


class Verdict(msgspec.Struct, frozen=True):
    """`violations` in words; `is_known` is False where the schema was too costly or no schema at all."""

    violations: tuple[str, ...] = ()
    is_known: bool = True


_UNKNOWN = Verdict(is_known=False)


class Validation:
    """The validator of one schema, built at its first use."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._clean: Node | None = None
        self._validator: Draft202012Validator | None = None
        self._nodes = 0

    def check(self, value: Any) -> Verdict:
        """What is wrong with `value`."""
        if self._clean is None:
            if measure_depth(self._root) > MAX_SCHEMA_DEPTH:
                return _UNKNOWN
            self._clean = _clean(self._root, drops_patterns=False)
            self._nodes = count_values(self._clean)
        if not self._clean:
            return Verdict()
        paths = count_reference_paths(self._clean, measure_depth(value))
        work = count_values(value) * max(self._nodes, paths)
        if paths > MAX_REFERENCE_PATHS or work > _MAX_WORK:
            return _UNKNOWN
        if self._validator is None:
            self._validator = _build(self._root, self._clean)
        if self._validator is None:
            return _UNKNOWN
        return _ask(self._validator, value, lists_all=work <= _MAX_LISTED_WORK)


def _ask(validator: Draft202012Validator, value: Any, *, lists_all: bool) -> Verdict:
    from jsonschema_rs import ValidationError  # noqa: PLC0415

    try:
        validator.validate(value)
    except ValidationError as error:
        errors = list(validator.iter_errors(value)) if lists_all else [error]
        return Verdict(tuple(map(_word, errors[:MAX_VIOLATIONS])))
    except ValueError:  # half a surrogate pair cannot be handed over
        return _UNKNOWN
    return Verdict()


def _word(error: ValidationError) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    message = error.message.encode("utf-8", "replace").decode()
    return f"{place.lstrip('.')[:100] or 'the value'}: {message}"[:MAX_VIOLATION_CHARS]


def _build(root: Node, clean: Node) -> Draft202012Validator | None:
    """None where it is no schema, even without its regular expressions."""
    # Loading it takes tens of milliseconds and eight megabytes, which a gateway without tools can spare.
    from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError  # noqa: PLC0415

    options = RegexOptions(size_limit=_REGEX_BYTES, dfa_size_limit=_REGEX_BYTES)
    for schema in (clean, None):
        try:
            return Draft202012Validator(
                _clean(root, drops_patterns=True) if schema is None else schema,
                validate_formats=False,
                offline=True,
                mask="it",
                pattern_options=options,
            )
        except (ValidationError, ValueError):
            continue
    return None


def _clean(node: Any, *, drops_patterns: bool) -> Any:
    """The schema without what is not ours to follow, in the vocabulary of 2020-12."""
    if not isinstance(node, dict):
        return node if isinstance(node, bool) else {}
    kept: Node = {}
    for keyword, found in node.items():
        if keyword in _DROPPED or (keyword == "$ref" and not _is_local(found)):
            continue
        kept[keyword] = _clean_keyword(keyword, found, drops_patterns=drops_patterns)
    _clean_patterns(kept, drops_patterns=drops_patterns)
    if isinstance(kept.get("items"), list):  # tuples, as they were written before 2020-12
        kept["prefixItems"] = kept.pop("items")
        if "additionalItems" in kept:
            kept["items"] = kept.pop("additionalItems")
    if kept.get("nullable") is True and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"] if kept["type"] != "null" else "null"
    return kept


def _clean_keyword(keyword: str, found: Any, *, drops_patterns: bool) -> Any:
    is_map = keyword in CHILD_MAPS or keyword in IN_PLACE_MAPS or keyword in DEFINITIONS
    if is_map and isinstance(found, dict):
        return {name: _clean(child, drops_patterns=drops_patterns) for name, child in found.items()}
    if (keyword in IN_PLACE_LISTS or keyword in CHILD_LISTS) and isinstance(found, list):
        return [_clean(child, drops_patterns=drops_patterns) for child in found]
    if keyword in CHILD_SINGLE or keyword in IN_PLACE_SINGLE:
        return _clean(found, drops_patterns=drops_patterns)
    return found


def _clean_patterns(node: Node, *, drops_patterns: bool) -> None:
    pattern = node.get("pattern")
    if isinstance(pattern, str) and not _can_read(pattern, is_tried=drops_patterns):
        del node["pattern"]
    named = node.get("patternProperties")
    if isinstance(named, dict) and not all(_can_read(key, is_tried=drops_patterns) for key in named):
        # Which keys they would have taken is unknown, and so what is left for the others.
        for keyword in ("patternProperties", "additionalProperties", "unevaluatedProperties"):
            node.pop(keyword, None)


def _can_read(pattern: str, *, is_tried: bool) -> bool:
    return len(pattern) <= MAX_PATTERN_CHARS and (not is_tried or _is_readable(pattern))


@lru_cache(maxsize=1_000)
def _is_readable(pattern: str) -> bool:
    from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError  # noqa: PLC0415

    options = RegexOptions(size_limit=_REGEX_BYTES, dfa_size_limit=_REGEX_BYTES)
    try:
        Draft202012Validator({"pattern": pattern}, pattern_options=options, offline=True)
    except (ValidationError, ValueError):
        return False
    return True


def _is_local(reference: Any) -> bool:
    return isinstance(reference, str) and (reference == "#" or reference.startswith("#/"))


def count_reference_paths(root: Node, depth: int) -> int:
    """In how many ways references can be followed through a value of that depth, at least 1.

    Two references to a schema that has two references again are four paths, and so on: a few lines make a
    billion. Counted per target and depth left, so that counting itself is cheap. Beyond the bound, for chains
    that would exhaust the stack, and for schemas that lead back to themselves without going deeper it is
    MAX_REFERENCE_PATHS + 1.
    """
    beyond = MAX_REFERENCE_PATHS + 1
    targets = _list_targets(root, _MAX_COUNTING_STEPS // (depth + 1))
    if targets is None:
        return beyond
    in_place = {name: [to for to, deeper in found if not deeper] for name, found in targets.items()}
    try:
        order = tuple(TopologicalSorter(in_place).static_order())
    except CycleError:
        return beyond
    levels: list[dict[str, tuple[int, int]]] = []  # per depth left and target: paths, and the longest
    for left in range(depth + 1):
        known: dict[str, tuple[int, int]] = {}
        levels.append(known)
        for name in order:
            steps = [levels[left - deeper][to] for to, deeper in targets[name] if deeper <= left]
            longest = 1 + max((length for _, length in steps), default=0)
            known[name] = (min(1 + sum(paths for paths, _ in steps), beyond), longest)
    paths, longest = levels[-1][_ROOT]
    return paths if longest <= MAX_REFERENCE_CHAIN else beyond


def _list_targets(root: Node, max_edges: int) -> dict[str, list[tuple[str, int]]] | None:
    """What is referred to -> the references from there; None beyond so many of them."""
    targets = {_ROOT: _list_references(root)}
    waiting = [to for to, _ in targets[_ROOT]]
    edges = len(waiting)
    while waiting:
        target = waiting.pop()
        if target not in targets:
            targets[target] = _list_references(find_reference(root, target))
            edges += len(targets[target])
            waiting.extend(to for to, _ in targets[target])
        if edges > max_edges:
            return None
    return targets


def _list_references(node: Any) -> list[tuple[str, int]]:
    """The references reached from `node` without following one, each with how much deeper it stands."""
    found: list[tuple[str, int]] = []
    waiting = [(node, 0)]
    while waiting:
        current, depth = waiting.pop()
        if not isinstance(current, dict):
            continue
        if isinstance(reference := current.get("$ref"), str):
            found.append((reference, depth))
        waiting.extend((child, depth) for child in list_in_place(current))
        waiting.extend((child, depth + 1) for child in list_children(current))
    return found
