"""Calls that the upstream's model makes in the upstream's own way (protocol notes 0.2 row 9, 4.4)."""

from __future__ import annotations

import json
import sys
from io import StringIO

import msgspec

from app.core.event import UpstreamCall
from app.upstream.held_bytes import HeldBytes
from app.upstream.merge import PartText
from app.upstream.part_stream import Feed

_MAX_CALLS = 64
_MAX_NAME_CHARS = 300
# Of arguments: as they are merged, and as they are said.
_BYTES_A_CHAR = 8


class _ReadCall(msgspec.Struct, frozen=True):
    """A call as one frame has it; `is_whole` where its arguments are no text that grows."""

    id: str | None
    name: str
    arguments: str
    is_whole: bool


class NativeCalls:
    """The calls of one answer, each told once: when something else than a call follows, or at the end.

    A call comes in one frame or in many, its arguments growing as a text does; it has an `id`, or is known by
    its part's logic id and its place there. Finish frames and results repeat it.
    """

    __slots__ = ("_growing", "_held", "_known")

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self._growing: dict[tuple[str, str], _GrowingCall] = {}
        self._known: set[tuple[str, str]] = set()

    def add(self, place: str, document: bytes, feed: Feed) -> bool:
        """Take the `tool_calls` of one item; True where it is a call that was not known."""
        call = _read(document)
        if call is None:
            return False
        key = (call.id or place, call.name)
        is_new = key not in self._known and len(self._known) < _MAX_CALLS
        if is_new:
            self._held.add(sys.getsizeof(key[0]))
            self._known.add(key)
            self._growing[key] = _GrowingCall(call.name)
        if (growing := self._growing.get(key)) is not None:
            before = growing.chars
            growing.add(call, feed)
            self._held.add(_BYTES_A_CHAR * max(0, growing.chars - before))
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
        self._said = StringIO()
        self._merged = PartText()

    @property
    def chars(self) -> int:
        """Of the arguments so far."""
        return self._said.tell()

    def add(self, call: _ReadCall, feed: Feed) -> None:
        if call.is_whole:
            self._replace(call.arguments)
        elif call.arguments:
            new = feed(self._merged, call.arguments)
            if feed is PartText.feed_full:  # nothing was told yet, so that the last word is right
                self._replace(call.arguments)
            else:
                self._said.write(new)
                self._merged.condense()

    def _replace(self, text: str) -> None:
        self._said = StringIO()
        self._said.write(text)

    def finish(self) -> UpstreamCall:
        return UpstreamCall(self._name, self._said.getvalue() + self._merged.flush())


def _read(document: bytes) -> _ReadCall | None:
    """`{name, arguments[, id]}`; None for the empty object that other items carry, and for anything else."""
    try:
        call = msgspec.json.decode(document)
        arguments = call.get("arguments") if isinstance(call, dict) else None
        is_whole = isinstance(arguments, dict)
        text = json.dumps(arguments, ensure_ascii=False) if is_whole else arguments
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(call, dict) or not isinstance(name := call.get("name"), str):
        return None
    if not 0 < len(name.strip()) <= _MAX_NAME_CHARS:
        return None
    own_id = call.get("id")
    return _ReadCall(
        own_id if isinstance(own_id, str) else None,
        name,
        text if isinstance(text, str) else "",
        is_whole=is_whole,
    )
