"""Searches that the upstream makes on its own, as events of their own (protocol notes 4.4)."""

from __future__ import annotations

import json
import sys

from app.core.event import Page, PagesFound
from app.upstream.held_bytes import HeldBytes
from app.upstream.source import Source

# Under which the arguments of a search say what it looks for; each a list of texts or of `{"q": text}`.
_QUERY_KEYS = ("search_query", "retrieve", "queries", "query")
_MAX_QUERIES = 16
_MAX_QUERY_CHARS = 1000
_SEARCH_BYTES = 1024
_PAGE_BYTES = 256


class Searches:
    """The searches of one answer, each told once: when something else than their results follows.

    A result may come in several frames, growing; frames at the end of the answer repeat it.
    """

    __slots__ = ("_growing", "_held", "_told")

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self._growing: dict[str, PagesFound] = {}
        self._told: set[str] = set()

    def add(self, part: str | None, call: bytes, sources: list[Source]) -> None:
        """Take what the result in `part` says: the call that it answers, and the pages that it lists."""
        name = part or ""
        if name in self._told or not sources:
            return
        pages = {source.url: Page(source.url, source.title) for source in sources}
        before = self._growing.get(name)
        if before is None:
            self._held.add(_SEARCH_BYTES + sys.getsizeof(name))
        self._held.add(_PAGE_BYTES * max(0, len(pages) - (len(before.pages) if before else 0)))
        self._growing[name] = PagesFound(read_queries(call), tuple(pages.values()))

    def take(self) -> list[PagesFound]:
        """Those that are complete now."""
        found = list(self._growing.values())
        self._told.update(self._growing)
        self._growing.clear()
        return found


def read_queries(call: bytes) -> tuple[str, ...]:
    """What `{name, arguments}` of a search looks for; nothing where it does not say so in a known way."""
    try:
        document = json.loads(call)
        arguments = document.get("arguments") if isinstance(document, dict) else None
        arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
    except (ValueError, RecursionError):
        return ()
    if not isinstance(arguments, dict):
        return ()
    wanted: object = next((arguments[key] for key in _QUERY_KEYS if arguments.get(key)), [])
    entries = wanted if isinstance(wanted, list) else [wanted]
    texts = [entry.get("q") if isinstance(entry, dict) else entry for entry in entries[:_MAX_QUERIES]]
    return tuple([text[:_MAX_QUERY_CHARS] for text in texts if isinstance(text, str) and text.strip()])
