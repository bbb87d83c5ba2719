"""Uploading a file, and speaking of it in a message (protocol notes 6). Pure, but for reading the file."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, BinaryIO, Protocol

import msgspec

from app.catalogue.file import OVER_UPSTREAMS_LIMIT
from app.core.errors import FileTooLarge, GatewayError, UpstreamInvalid
from app.upstream.envelope import classify_answer, first_string, is_success

UPLOAD_PATH = "/chatglm/productivity-api/file/chat_upload"
UPLOAD_PATH_2024 = "/chatglm/backend-api/assistant/file_upload"

_FORBIDDEN_WORDS = "权限不足"  # the upstream's words for an upload at the wrong place


class Upload(Protocol):
    """A file as the client needs it; `open` gives its one handle, at the beginning."""

    @property
    def name(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def is_picture(self) -> bool: ...
    def open(self) -> BinaryIO: ...


class UploadedFile(msgspec.Struct, frozen=True):
    """A file that an account has upstream; other accounts cannot speak of it."""

    id: str
    source_id: str
    url: str
    name: str
    size_bytes: int
    width: int = 0
    height: int = 0
    is_picture: bool = False


class MultipartBody:
    """A form with one file, read piece by piece; `rewind` begins anew. Its length is known beforehand."""

    def __init__(self, file: Upload, fields: Mapping[str, str]) -> None:
        boundary = f"----glm{uuid.uuid4().hex}"
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._file = file
        self._head = b"".join(_build_field(boundary, name, value) for name, value in fields.items())
        self._head += _build_file_head(boundary, file)
        self._tail = f"\r\n--{boundary}--\r\n".encode("ascii")
        self._pieces: Iterator[bytes] = iter(())
        self.length_bytes = len(self._head) + file.size_bytes + len(self._tail)

    def rewind(self, check_time: Callable[[], object]) -> None:
        """Begin anew; `check_time` raises what ends the reading, asked before every piece of the file."""
        self._pieces = self._read_pieces(check_time)

    def read(self) -> bytes:
        """The next bytes, none at the end. Pieces are of the body's own size: senders loop until none."""
        return next(self._pieces, b"")

    def _read_pieces(self, check_time: Callable[[], object]) -> Iterator[bytes]:
        yield self._head
        handle = self._file.open()
        while piece := handle.read(65536):
            check_time()
            yield piece
        yield self._tail


def _build_field(boundary: str, name: str, value: str) -> bytes:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def _build_file_head(boundary: str, file: Upload) -> bytes:
    """As browsers write it: UTF-8, the three characters that would break the line percent-encoded."""
    name = file.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    return f"--{boundary}\r\n{disposition}\r\nContent-Type: {file.media_type}\r\n\r\n".encode()


def is_wrong_place(status: int, document: Any) -> bool:
    """Whether another path may take what this one did not."""
    message = document.get("message") if isinstance(document, dict) else None
    return status in (404, 405) or (isinstance(message, str) and _FORBIDDEN_WORDS in message)


def parse_upload(status: int, document: Any, file: Upload) -> UploadedFile:
    """What the upstream made of an upload, in any of the shapes it has answered with. Raises GatewayError."""
    if status != 200 or not is_success(document):
        raise _refusal(status, document)
    result = document.get("result")
    if isinstance(result, list):
        result = result[0] if result else None
    file_id = first_string(result, "file_id", "source_id", "id")
    url = first_string(result, "file_url", "image_url", "url") or ""
    if file_id is None or (file.is_picture and not url):
        raise UpstreamInvalid("The upstream took a file without saying what to call it.")
    return UploadedFile(
        id=file_id,
        source_id=first_string(result, "source_id") or file_id,
        url=url,
        name=file.name,
        size_bytes=file.size_bytes,
        width=file.width,
        height=file.height,
        is_picture=file.is_picture,
    )


def _refusal(status: int, document: Any) -> GatewayError:
    if status == 413:
        return FileTooLarge(OVER_UPSTREAMS_LIMIT)
    return classify_answer(status, document)


def build_references(files: Sequence[UploadedFile]) -> list[dict[str, object]]:
    """The content parts that speak of these files; neighbours of one kind share a part, as in browsers."""
    parts: list[dict[str, object]] = []
    for is_picture, group in groupby(files, key=lambda file: file.is_picture):
        kind = "image" if is_picture else "file"
        build = _build_picture if is_picture else _build_document
        parts.append({"type": kind, kind: [build(file, order) for order, file in enumerate(group)]})
    return parts


def _build_picture(file: UploadedFile, order: int) -> dict[str, object]:
    """The one shape that the upstream looks at; others are ignored without a word."""
    return {
        "file_name": file.name,
        "file_id": file.id,
        "image_url": file.url,
        "file_size": file.size_bytes,
        "order": order,
        "width": file.width,
        "height": file.height,
    }


def _build_document(file: UploadedFile, order: int) -> dict[str, object]:
    """Protocol notes 0.2 row 13, and `source_id` for what knows only that (6.3)."""
    return {
        "source_id": file.source_id,
        "file_id": file.id,
        "file_url": file.url,
        "file_name": file.name,
        "file_size": file.size_bytes,
        "order": order,
    }
