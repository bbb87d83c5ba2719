"""Calls that the upstream's model makes in the upstream's own way (protocol notes 0.2 row 9, 4.4)."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from app.core.event import UpstreamCall
from app.upstream.merge import PartText
from app.upstream.part_stream import Feed

_MAX_CALLS = 64
_MAX_NAME_CHARS = 300


class NativeCalls:
    """The calls of one answer, each told once: when something else than a call follows, or at the end.

    A call comes in one frame or in many, its arguments growing as a text does; it has an `id`, or is known by
    its part's logic id and its place there. Finish frames and results repeat it.
    """

    __slots__ = ("_growing", "_known")

    def __init__(self) -> None:
        self._growing: dict[tuple[str, str], _GrowingCall] = {}
        self._known: set[tuple[str, str]] = set()

    def add(self, place: str, document: bytes, feed: Feed) -> bool:
        """Take the `tool_calls` of one item; True where it is a call that was not known."""
        call = _read(document)
        if call is None:
            return False
        key = (call.get("id") or place, call["name"])
        is_new = key not in self._known and len(self._known) < _MAX_CALLS
        if is_new:
            self._known.add(key)
            self._growing[key] = _GrowingCall(call["name"])
        if key in self._growing:
            self._growing[key].add(call.get("arguments"), feed)
        return is_new

    def take(self) -> list[UpstreamCall]:
        """Those that are complete now, since something else follows."""
        calls = [call.finish() for call in self._growing.values()]
        self._growing.clear()
        return calls


class _GrowingCall:
    """One call while its arguments come."""

    __slots__ = ("_merged", "_name", "_said")

    def __init__(self, name: str) -> None:
        self._name = name
        self._said: list[str] = []
        self._merged = PartText()

    def add(self, arguments: object, feed: Feed) -> None:
        if isinstance(arguments, dict):
            self._said = [json.dumps(arguments, ensure_ascii=False)]
        elif isinstance(arguments, str) and arguments:
            new = feed(self._merged, arguments)
            if feed is PartText.feed_full:  # nothing was told yet, so that the last word is right
                self._said = [arguments]
            else:
                self._said.append(new)

    def finish(self) -> UpstreamCall:
        return UpstreamCall(self._name, "".join(self._said) + self._merged.flush())


def _read(document: bytes) -> dict[str, Any] | None:
    """`{name, arguments[, id]}`; None for the empty object that other items carry, and for anything else."""
    try:
        call = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(call, dict) or not isinstance(name := call.get("name"), str):
        return None
    if not isinstance(call.get("id"), str | None):
        call["id"] = None
    return call if 0 < len(name.strip()) <= _MAX_NAME_CHARS else None
