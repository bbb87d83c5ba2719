"""Parts of messages and results: text, pictures, documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import FilePart, Part, TextPart
from app.formats.file_data import as_data_url, refuse_file_id

MAX_PARTS = 10_000


class Link(msgspec.Struct, frozen=True):
    """As chat completions write an address."""

    url: str


class ContentPart(msgspec.Struct, frozen=True):
    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | Link | None = None
    file_url: str | Link | None = None
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


Parts = Annotated[list[ContentPart], msgspec.Meta(max_length=MAX_PARTS)]


def read_parts(parts: Sequence[ContentPart], place: str, *, skips_unknown: bool) -> Iterator[Part]:
    """`skips_unknown`: what tools and answers say beside text and files is theirs to know."""
    for index, part in enumerate(parts):
        here = f"{place}.{index}"
        match part.type:
            case "input_text" | "output_text" | "text" | "summary_text":
                yield TextPart(part.text or "")
            case "refusal":
                yield TextPart(part.refusal or "")
            case "input_image" | "image_url":
                yield _read_image(part, here)
            case "input_file" | "file":
                yield _read_file(part, here)
            case "input_audio":
                words = "Sound cannot be attached: the upstream reads pictures and documents only."
                yield FilePart("audio", "", here, unusable=UnsupportedValue(words, param=here))
            case _ if not skips_unknown:
                raise UnsupportedValue(f"A part of type {part.type[:64]!r} cannot be sent on.", param=here)


def _read_image(part: ContentPart, place: str) -> FilePart:
    if part.image_url:
        return FilePart("image", _address(part.image_url), f"{place}.image_url")
    return _unusable("image", part, place, "An image needs `image_url`.", "image_url")


def _read_file(part: ContentPart, place: str) -> FilePart:
    name = part.filename or ""
    if part.file_url:
        return FilePart("file", _address(part.file_url), f"{place}.file_url", name)
    if part.file_data:
        return FilePart("file", as_data_url(part.file_data), f"{place}.file_data", name)
    return _unusable("file", part, place, "A file needs `file_data` or `file_url`.", "file_data")


def _address(link: str | Link) -> str:
    return link.url if isinstance(link, Link) else link


def _unusable(
    kind: Literal["image", "file"], part: ContentPart, place: str, words: str, field: str
) -> FilePart:
    """Told where it would have to be attached; elsewhere it is only named."""
    if part.file_id:
        unusable: InvalidRequest = refuse_file_id(f"{place}.file_id")
    else:
        unusable = InvalidRequest(words, param=f"{place}.{field}")
    return FilePart(kind, "", unusable.param or place, part.filename or "", unusable)
