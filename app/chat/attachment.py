"""What the last user message carries besides text, and what earlier ones carried. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.errors import InvalidRequest, UnsupportedValue
from app.exchange.attaching import Attachment
from app.files.attachment import clean_name, name_from_path
from app.files.media import extension_of
from app.openai.request import AudioPart, ContentPart, FilePart, ImagePart, Message

_MOST_NAMED_URL_CHARS = 8192


def find_attachments(messages: Sequence[Message], *, continues: bool) -> list[Attachment]:
    """Those of the last user message, in order; a continued conversation has only its last message.

    Raises UnsupportedValue for what cannot be attached, InvalidRequest where a part names no file.
    """
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].role == "user":
            return _find_in(messages[index], f"messages.{index}.content")
        if continues:
            break
    return []


def _find_in(message: Message, param: str) -> list[Attachment]:
    found: list[Attachment] = []
    for index, part in enumerate(message.content if isinstance(message.content, list) else ()):
        place = f"{param}.{index}"
        if isinstance(part, ImagePart):
            found.append(Attachment(part.image_url.url, "", f"{place}.image_url.url"))
        elif isinstance(part, FilePart):
            found.append(_read_file(part, place))
        elif isinstance(part, AudioPart):
            raise UnsupportedValue(
                "Sound cannot be attached: the upstream reads pictures and documents only.",
                param=f"{place}.input_audio",
            )
    return found


def _read_file(part: FilePart, place: str) -> Attachment:
    name = (part.file.filename if part.file else None) or ""
    if part.file_url is not None:
        return Attachment(part.file_url.url, name, f"{place}.file_url.url")
    if part.file is None:
        raise InvalidRequest("A file part needs `file_url` or `file`.", param=f"{place}.file")
    if part.file.file_data:
        return Attachment(_as_data_url(part.file.file_data), name, f"{place}.file.file_data")
    if part.file.file_id:
        raise UnsupportedValue(
            "`file_id` is not available here: send the file as `file_data`, or its address as `file_url`.",
            param=f"{place}.file.file_id",
        )
    raise InvalidRequest("A file needs `file_data`.", param=f"{place}.file.file_data")


def _as_data_url(file_data: str) -> str:
    """OpenAI takes bare base64 as well; an address has no place in this field."""
    return file_data if file_data[:5].lower() == "data:" else f"data:;base64,{file_data}"


def describe(part: ContentPart) -> str:
    """How a merged prompt speaks of an attachment: [image cat.png], [file report.pdf], [image]."""
    name = _name_of(part)
    if isinstance(part, FilePart):
        return f"[file {name or 'without a name'}]"
    kind = "image" if isinstance(part, ImagePart) else "audio"
    return f"[{kind} {name}]" if name else f"[{kind}]"


def _name_of(part: ContentPart) -> str:
    """The name a user would know it by; empty where neither the user nor the address gives one."""
    if isinstance(part, FilePart) and part.file is not None and part.file.filename:
        return clean_name(part.file.filename)
    url = _url_of(part)
    if url[:5].lower() == "data:" or len(url) > _MOST_NAMED_URL_CHARS:
        return ""
    path = re.split(r"[?#]", url, maxsplit=1)[0].partition("://")[2].partition("/")[2]
    name = clean_name(name_from_path(path))
    return name if extension_of(name) else ""


def _url_of(part: ContentPart) -> str:
    if isinstance(part, ImagePart):
        return part.image_url.url
    if isinstance(part, FilePart) and part.file_url is not None:
        return part.file_url.url
    return ""
