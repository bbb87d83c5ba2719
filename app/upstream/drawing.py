"""Drawn pictures: held until all of a batch are there, then told in order and once each (protocol notes 7).

The upstream sends them one by one in whatever order they get ready, and placeholders before them; only the
number in a picture's address, or its `order`, says where it belongs.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator

import msgspec

from app.upstream.frames import ContentItem
from app.upstream.held_bytes import HeldBytes

_ADDRESS = re.compile(r"https?://[^\s<>\"\ud800-\udfff]+")
# `<history id>_<number>_<try>.jpg` in 2026, `<uuid>_<number>.png` in 2024.
_NUMBER = re.compile(r"_(\d{1,6})(?:_\d{1,6})?\.[0-9A-Za-z]+(?:\?.*)?$")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Asks the file server for another format of the same picture.
_CONVERSION = "?image_process="
_PICTURE_BYTES = 512


class Picture(msgspec.Struct, frozen=True):
    """One drawn picture; `revised_prompt` is what was drawn, None where the upstream is silent."""

    url: str
    revised_prompt: str | None
    rank: tuple[float, float]

    @property
    def markdown(self) -> str:
        """Parentheses would end the link too early."""
        return f"![image]({self.url.replace('(', '%28').replace(')', '%29')})"


class PictureBatch:
    """The pictures of one answer: `add` what frames show, `take` a batch when it is complete."""

    __slots__ = ("_held_bytes", "_known", "_waiting")

    def __init__(self, held: HeldBytes) -> None:
        self._held_bytes = held
        self._waiting: list[Picture] = []
        self._known: set[str] = set()

    def add(self, item: ContentItem) -> bool:
        """Hold the pictures of `item` that are new; False where there are none."""
        before = len(self._waiting)
        for picture in _parse_pictures(item):
            name = picture.url.partition(_CONVERSION)[0]
            if name not in self._known:
                self._held_bytes.add(_PICTURE_BYTES + 4 * sys.getsizeof(picture.url))
                self._known.add(name)
                self._waiting.append(picture)
        return len(self._waiting) > before

    def take(self) -> list[Picture]:
        """What was held, by number; pictures without one come last, as they arrived."""
        held, self._waiting = self._waiting, []
        return sorted(held, key=lambda picture: picture.rank)


def _parse_pictures(item: ContentItem) -> Iterator[Picture]:
    """The pictures of one item, without placeholders and empty objects."""
    revised = _SURROGATE.sub("\ufffd", item.code or "").strip() or None
    for entry in item.image if isinstance(item.image, list) else [item.image]:
        url = entry.get("image_url") if isinstance(entry, dict) else None
        if isinstance(url, str) and _ADDRESS.fullmatch(url):
            yield Picture(url, revised, _rank(url, entry.get("order")))


def _rank(url: str, order: object) -> tuple[float, float]:
    found = _NUMBER.search(url)
    number = int(found.group(1)) if found else math.inf
    return (order if isinstance(order, int) else number, number)
