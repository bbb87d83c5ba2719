"""What one message says: the parts of its content, in OpenAI's shapes and in those of other providers.

No part is refused here for what it is: whether it is needed hangs on where its turn stands
(app/chat/attachment.py). What cannot be attached knows why (`FilePart.unusable`); where its turn is only
retold, it is named. Earlier thinking is left out: no model reads it back. Results and what assistants said
may be JSON of any type, and are retold as JSON.
"""

from __future__ import annotations

from typing import Any

import msgspec

from app.core.errors import InvalidRequest
from app.core.request import Call, FilePart, Part, Role, TextPart
from app.formats.file_data import as_data_url, refuse_file_id
from app.formats.json_body import decode_value
from app.formats.openai_chat import part as openai
from app.formats.openai_chat.foreign_part import (
    name_part,
    read_foreign_part,
    refuse_kind,
    write_json,
)
from app.formats.openai_chat.request import Message
from app.hub import cooperate

# A value says its type early, if it has one.
_LOOKED_AT_BYTES = 64 * 1024
_decode_part: Any = msgspec.json.Decoder(openai.ContentPart).decode
_decode_any = msgspec.json.Decoder().decode


def build_content(message: Message, role: Role, place: str) -> tuple[Part | Call, ...]:
    """What `message` says and calls; its content stands at `place`. Raises InvalidRequest for broken JSON."""
    content = message.content
    if content is None:
        return (TextPart(message.refusal),) if message.refusal else ()
    if isinstance(content, str):
        return (TextPart(content),)
    is_result = role == "tool"
    if not isinstance(content, list):
        return _build_value(content, place, role)
    if is_result and content and not any(_has_type(raw) for raw in content):
        return (TextPart(write_json([decode_value(_decode_any, raw, place) for raw in content])),)
    said: list[Part | Call] = []
    for index, raw in enumerate(content):
        said += _build_part(raw, f"{place}.{index}", is_result=is_result)
    return tuple(said)


def _has_type(raw: msgspec.Raw) -> bool:
    """Whether this may be a part, not a value of somebody's own."""
    return b'"type"' in memoryview(raw)[:_LOOKED_AT_BYTES].tobytes()


def _build_value(content: object, place: str, role: Role) -> tuple[Part | Call, ...]:
    """A part without a list around it; else a value, which is retold as JSON."""
    is_part = isinstance(content, dict) and (role == "user" or "type" in content)
    said = read_foreign_part(content, place) if is_part else None
    if said is not None:
        return said
    if role != "user":
        return (TextPart(write_json(content)),)
    words = f"Invalid value for `{place}`: Expected text or a list of parts."
    return (FilePart(name_part(content), "", place, unusable=InvalidRequest(words, param=place)),)


def _build_part(raw: msgspec.Raw, place: str, *, is_result: bool) -> tuple[Part | Call, ...]:
    try:
        return (_build_known(decode_value(_decode_part, raw, place), place),)
    except InvalidRequest as problem:
        cooperate()
        value = decode_value(_decode_any, raw, place)
        said = read_foreign_part(value, place)
        if said is not None:
            return said
        if is_result:
            return (TextPart(write_json(value)),)
        return (FilePart(name_part(value), "", place, unusable=problem),)


def _build_known(part: openai.ContentPart, place: str) -> Part:
    match part:
        case openai.TextPart(text=text) | openai.RefusalPart(refusal=text):
            return TextPart(text)
        case openai.ImagePart(image_url=link):
            return FilePart("image", link.url, f"{place}.image_url.url")
        case openai.AudioPart():
            return refuse_kind("sound", f"{place}.input_audio")
        case openai.FilePart():
            return _build_file(part, place)


def _build_file(part: openai.FilePart, place: str) -> FilePart:
    name = (part.file.filename if part.file else None) or ""
    if part.file_url is not None:
        return FilePart("file", part.file_url.url, f"{place}.file_url.url", name)
    if part.file is not None and part.file.file_data:
        return FilePart("file", as_data_url(part.file.file_data), f"{place}.file.file_data", name)
    unusable = _explain_missing(part.file, place)
    return FilePart("file", "", unusable.param or place, name, unusable)


def _explain_missing(file: openai.FileData | None, place: str) -> InvalidRequest:
    if file is None:
        return InvalidRequest("A file part needs `file_url` or `file`.", param=f"{place}.file")
    if file.file_id:
        return refuse_file_id(f"{place}.file.file_id")
    return InvalidRequest("A file needs `file_data`.", param=f"{place}.file.file_data")
