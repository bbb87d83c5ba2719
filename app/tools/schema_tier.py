"""Schemas made shorter, step by step, until they fit: what helps the model least goes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.tools.schema import (
    CHILD_LISTS,
    CHILD_MAPS,
    CHILD_SINGLE,
    DEFINITIONS,
    IN_PLACE_LISTS,
    IN_PLACE_MAPS,
    IN_PLACE_SINGLE,
    Node,
)

_PARAMETER_DESCRIPTION_CHARS = 200
_TOOL_DESCRIPTION_CHARS = 600
_DECORATION = frozenset(
    {"title", "examples", "example", "default", "$schema", "$id", "$comment", "deprecated"}
)
_WORDS = _DECORATION | {"description"}
_MAPS = frozenset((*CHILD_MAPS, *IN_PLACE_MAPS, *DEFINITIONS))
_LISTS = frozenset((*CHILD_LISTS, *IN_PLACE_LISTS))
_SINGLE = frozenset((*CHILD_SINGLE, *IN_PLACE_SINGLE))

# A tool as the model sees it: {"name", "description", "parameters"}.
Shown = dict[str, Any]


def _drop_decoration(shown: Shown) -> Shown:
    return {**shown, "parameters": _prune(shown.get("parameters"), _DECORATION, None)}


def _shorten_parameters(shown: Shown) -> Shown:
    return {**shown, "parameters": _prune(shown.get("parameters"), _DECORATION, _PARAMETER_DESCRIPTION_CHARS)}


def _shorten_description(shown: Shown) -> Shown:
    description = shown.get("description", "")
    return {**shown, "description": _cut(description, _TOOL_DESCRIPTION_CHARS)} if description else shown


def _keep_parameters(shown: Shown) -> Shown:
    return {"name": shown["name"], "parameters": _prune(shown.get("parameters"), _WORDS, None)}


# Each works on what the one before it left.
TIERS: tuple[Callable[[Shown], Shown], ...] = (
    _drop_decoration,
    _shorten_parameters,
    _shorten_description,
    _keep_parameters,
)


def _prune(node: Any, dropped: frozenset[str], description_chars: int | None) -> Any:
    """A schema without some keywords. Names of properties are no keywords, and values are left alone."""
    if not isinstance(node, dict):
        return node
    kept: Node = {}
    for keyword, found in node.items():
        if keyword in dropped:
            continue
        if keyword == "description" and description_chars is not None and isinstance(found, str):
            kept[keyword] = _cut(found, description_chars)
        elif keyword in _MAPS and isinstance(found, dict):
            kept[keyword] = {n: _prune(child, dropped, description_chars) for n, child in found.items()}
        elif keyword in _LISTS and isinstance(found, list):
            kept[keyword] = [_prune(child, dropped, description_chars) for child in found]
        elif keyword in _SINGLE:
            kept[keyword] = _prune(found, dropped, description_chars)
        else:
            kept[keyword] = found
    return kept


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
