"""What a recording keeps of a JSON document of the upstream: its shape, and nothing that anybody said. Pure.

    {"id": "6a50c4", "status": "init", "nickname": "小明", "points": 1250, "vip": true}
    {"id": "000001", "status": "init", "nickname": "乾坤", "points": 1234, "rxa": true}

Names and codes stay where every word of them is known (shape_word), flags and nulls always. The n-th
character of a text becomes the n-th of a fixed filler of the same byte width, so that what began alike still
does; ids and links become numbers of the same length, equal where they were equal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from app.upstream.shape_word import is_known_code, is_known_name

_MAX_DEPTH = 32
_MAX_ENTRIES = 4096
_FILLERS = (
    "abcdefghijklmnopqrsuvwxyz",  # without t: no filler begins the key of a page (citation.py)
    "абвгдежзиклмнопрстуфхцчшщэюя",
    "乾坤日月星辰山川江河湖海松竹梅兰春夏秋冬东西南北金木水火土风云雨雪",
    "😀😁😂😃😄😅😆😉😊😋😎😍😘😗😙😚",
)
# Of what is said under these, only what is made of known words stays: a code, or the upstream's usual words.
_CODE_KEYS = frozenset(
    """
    type status role model recipient finish_reason chat_mode mode name kind match_key event message msg
    chat_type input_question_type
    """.split()  # noqa: SIM905 - as in shape_word
)
_LINK = re.compile(r"https?://", re.IGNORECASE)
_CODE_DIGITS = re.compile(r"\d{1,6}")
_MAX_CODE = 999_999
_MAX_INDEX = 999
_DIGITS = "1234567890"
_STEP, _MIX, _MASK = 0x9E3779B1, 0x85EBCA6B, 0xFFFFFFFF

KeepText = Callable[[tuple[str, ...], str], str | None]


def fill(text: str, offset: int = 0, variant: int = 0) -> str:
    """Filler for `text`, which begins at this character of its part. Another variant differs everywhere."""
    return "".join([fill_character(character, offset + n, variant) for n, character in enumerate(text)])


def fill_character(character: str, place: int, variant: int = 0) -> str:
    """Depends on the width of `character` and on its place alone. Never periodic, so that no delta looks like
    the text before it.
    """
    filler = _FILLERS[_width(character) - 1]
    mixed = (place + 1) * _STEP & _MASK
    mixed = ((mixed ^ mixed >> 15) * _MIX) & _MASK
    return filler[((mixed ^ mixed >> 13) + variant) % len(filler)]


def _width(character: str) -> int:
    code = ord(character)
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4


class ShapeKeeper:
    """Keeps the shapes of one recording: ids that are equal anywhere in it are equal in what comes out."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def keep(self, document: object, keep_text: KeepText | None = None) -> object:
        """The shape of a decoded document. `keep_text` answers for what it knows better, by path; list
        positions do not stand in a path.
        """
        return self._keep(document, (), keep_text)

    def keep_json(self, data: bytes) -> object:
        """As `keep`; bytes that are no JSON leave their length."""
        is_json, document = read_json(data)
        return self.keep(document) if is_json else {"not_json": len(data)}

    def keep_path(self, path: str) -> str:
        """A path whose segments are known names or become ids; what follows a `?` leaves its length."""
        path, _, query = path.partition("?")
        kept = [self._keep_segment(segment) for segment in path.split("/")]
        return "/".join(kept) + ("?" + fill(query) if query else "")

    def _keep_segment(self, segment: str) -> str:
        return segment if not segment or is_known_name(segment) else self._number(segment)

    def _keep(self, value: object, path: tuple[str, ...], keep_text: KeepText | None) -> object:
        if len(path) > _MAX_DEPTH:
            return "deep"
        if isinstance(value, dict):
            kept: dict[str, object] = {}
            for name, below in list(value.items())[:_MAX_ENTRIES]:
                kept[self._keep_name(name, kept)] = self._keep(below, (*path, name), keep_text)
            return kept
        if isinstance(value, list):
            # A list is a step down as well, or lists in lists would have no bound.
            return [self._keep(below, (*path, ""), keep_text) for below in value[:_MAX_ENTRIES]]
        if isinstance(value, str):
            known = keep_text(path, value) if keep_text else None
            return self._keep_string(value, _name_of(path)) if known is None else known
        return value if value is None or isinstance(value, bool) else _keep_number(value, _name_of(path))

    def _keep_name(self, name: str, taken: dict[str, object]) -> str:
        if is_known_name(name):
            return name
        kept = fill(name)
        return kept if kept not in taken else f"{kept}{len(taken)}"

    def _keep_string(self, value: str, name: str) -> str:
        if name in _CODE_KEYS and is_known_code(value):
            return value
        if name == "code" and _CODE_DIGITS.fullmatch(value):
            return value
        if link := _LINK.match(value):
            return link[0].lower() + self._number(value[link.end() :])
        lowered = name.lower()
        is_id = lowered in ("id", "ids") or name.endswith(("_id", "_ids", "Id", "Ids"))
        return self._number(value) if is_id else fill(value)

    def _number(self, value: str) -> str:
        """The number of an id, as long as the id was, unless it was too short for it."""
        if not value:
            return value
        return str(self._numbers.setdefault(value, len(self._numbers) + 1)).rjust(len(value), "0")


def read_json(data: bytes) -> tuple[bool, object]:
    """Whether it is JSON that can be read, and what it says."""
    try:
        return True, json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False, None


def _name_of(path: tuple[str, ...]) -> str:
    return next((name for name in reversed(path) if name), "")


def _keep_number(value: object, name: str) -> object:
    """Codes and positions stay; of other numbers the count of digits does."""
    if not isinstance(value, int):
        return 0.5
    largest = _MAX_CODE if name in ("status", "code") else _MAX_INDEX if name == "index" else 9
    if abs(value) <= largest:
        return value
    digits = len(str(abs(value)))
    number = int((_DIGITS * (digits // len(_DIGITS) + 1))[:digits])
    return number if value > 0 else -number
