"""The content parts that OpenAI documents, and `file_url`, which is ours."""

from __future__ import annotations

import msgspec


class TextPart(msgspec.Struct, tag_field="type", tag="text", frozen=True):
    text: str


class RefusalPart(msgspec.Struct, tag_field="type", tag="refusal", frozen=True):
    refusal: str


class Link(msgspec.Struct, frozen=True):
    url: str


class ImageLink(msgspec.Struct, frozen=True):
    url: str
    detail: str | None = None


class ImagePart(msgspec.Struct, tag_field="type", tag="image_url", frozen=True):
    image_url: ImageLink


class FileData(msgspec.Struct, frozen=True):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(msgspec.Struct, tag_field="type", tag="file", frozen=True):
    file: FileData | None = None
    file_url: Link | None = None


class Audio(msgspec.Struct, frozen=True):
    data: str
    format: str


class AudioPart(msgspec.Struct, tag_field="type", tag="input_audio", frozen=True):
    input_audio: Audio


ContentPart = TextPart | RefusalPart | ImagePart | FilePart | AudioPart
