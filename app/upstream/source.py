"""The pages that a search found: where the upstream lists them, and how a citation mark finds one again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from app.upstream.held_bytes import HeldBytes

# Where pages are listed (protocol notes 4.4); some of these hold each other.
_PLACES = (
    "metadata_list",
    "tool_result_extra",
    "search_results",
    "results",
    "sources",
    "citations",
    "browser",
)
_MAX_DEPTH = 4
_MAX_SOURCES = 2000
# Of all parts; beyond it the oldest lists are forgotten.
_MAX_LISTS = 200
_MAX_LISTED = 2 * _MAX_SOURCES
# No mark holds a longer one.
_MAX_KEY_CHARS = 32
# Of a page in the lists and by its key, with its title, beside its address.
_SOURCE_BYTES = 2048
# What tells parts apart.
_MAX_PART_CHARS = 256
_MAX_URL_CHARS = 2048
_MAX_TITLE_CHARS = 300
# What would end a Markdown link early, hide where it leads, or cannot be sent.
_UNSAFE = re.compile(
    r"[\s\x00-\x20\x7f-\x9f()<>\[\]\\\"'`{}|^\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class Source(msgspec.Struct, frozen=True):
    """A page. `url` is http(s) and safe inside a Markdown link; `number` is the page's own in this answer."""

    url: str
    title: str
    number: int


_Pages = dict[int, Source | None]  # by their number in one list; None where an entry leads nowhere


class Sources:
    """Everything that the searches of one answer found so far."""

    __slots__ = ("_by_key", "_cited", "_listed", "_lists", "_numbers", "has_keys", "held")

    def __init__(self, held: HeldBytes) -> None:
        self.held = held
        self._lists: dict[str, _Pages] = {}
        self._listed = 0  # in all of them
        self._cited: _Pages = {}
        self._by_key: dict[str, Source] = {}
        self._numbers: dict[str, int] = {}
        self.has_keys = False
        """Some page was found under a key."""

    def add(self, part: str | None, *documents: bytes) -> list[Source]:
        """Take the pages that JSON documents of one part list; a part that comes again replaces its own.

        Returns those that lead somewhere.
        """
        pages = self._read_pages(documents)
        if pages:
            self._replace((part or "")[:_MAX_PART_CHARS], pages)
        return [source for source in pages.values() if source is not None]

    def _replace(self, part: str, pages: _Pages) -> None:
        """The list of `part`, which is the latest now."""
        self._listed += len(pages) - len(self._lists.pop(part, ()))
        self._lists[part] = pages
        while self._listed > _MAX_LISTED or len(self._lists) > _MAX_LISTS:
            self._listed -= len(self._lists.pop(next(iter(self._lists))))

    def add_cited(self, document: bytes) -> None:
        """Take the pages that a part with text names itself; they count where no search found any."""
        if b'"citations"' in document and len(self._cited) < _MAX_SOURCES:
            self._cited |= self._read_pages((document,))

    def find_number(self, number: int) -> Source | None:
        """The page with this number in the latest list that has the number."""
        for pages in (*reversed(self._lists.values()), self._cited):
            if number in pages:
                return pages[number]
        return None

    def find_key(self, key: str) -> Source | None:
        return self._by_key.get(key)

    def _read_pages(self, documents: tuple[bytes, ...]) -> _Pages:
        pages: _Pages = {}
        entries = (entry for document in documents for entry in _find_entries(_parse(document), _MAX_DEPTH))
        for place, entry in enumerate(islice(entries, _MAX_SOURCES), start=1):
            index = entry.get("index")
            number = index if type(index) is int and index > 0 else place
            pages[number] = self._read_source(entry, number)
        return pages

    def _read_source(self, entry: dict[str, Any], number: int) -> Source | None:
        url = make_safe(entry.get("url") or entry.get("link"))
        if url is None or len(self._numbers) >= _MAX_SOURCES:
            return None
        source = Source(url, _name(entry.get("title"), url), self._number(url, number))
        key = entry.get("match_key")
        if isinstance(key, str) and 0 < len(key) <= _MAX_KEY_CHARS:
            self._note_key(key, source)
        return source

    def _note_key(self, key: str, source: Source) -> None:
        if key in self._by_key or len(self._by_key) < _MAX_LISTED:
            self._by_key[key] = source
            self.has_keys = True

    def _number(self, url: str, wanted: int) -> int:
        """One number a page: the upstream's own, unless another page has it already."""
        if url not in self._numbers:
            self.held.add(_SOURCE_BYTES + len(url))
            taken = self._numbers.values()
            self._numbers[url] = max(taken) + 1 if wanted in taken else wanted
        return self._numbers[url]


def make_safe(url: object) -> str | None:
    """`url` so that no character of it can end a Markdown link; None where it is not http(s)."""
    if not isinstance(url, str) or len(url) > _MAX_URL_CHARS:
        return None
    url = _UNSAFE.sub(lambda unsafe: quote(unsafe.group(), safe="", errors="replace"), url.strip())
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def _name(title: object, url: str) -> str:
    words = " ".join(title.split()) if isinstance(title, str) else ""
    return words[:_MAX_TITLE_CHARS] or urlsplit(url).hostname or url


def _parse(document: bytes) -> object:
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        return None


def _find_entries(value: object, depth: int) -> Iterator[dict[str, Any]]:
    """The entries of every list at a known place; a page may stand in its entry's `metadata` (2024)."""
    if not depth:
        return
    if isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict):
                page = entry.get("metadata")
                yield page if isinstance(page, dict) else entry
    elif isinstance(value, dict):
        for place in _PLACES:
            if place in value:
                yield from _find_entries(value[place], depth - 1)
