"""`multipart/form-data` as it arrives: fields are kept, files are only looked at, so that a hundred megabytes
cost no more than one piece of them. Without I/O.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

MAX_HEAD_BYTES = 8 * 1024
MAX_FIELD_BYTES = 64 * 1024
MAX_PARTS = 20
KEPT_BYTES = 64

_BOUNDARY = re.compile(r'multipart/form-data;.*?boundary=(?:"([^"]{1,70})"|([^\s";]{1,70}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(\w+)="([^"]*)"')


class BadForm(ValueError):
    """The body is not the form that its head promises."""


@dataclass(slots=True)
class FormFile:
    """A file that went by: `head` are its first bytes, `sha256` is over all of them."""

    name: str
    content_type: str
    head: bytes = b""
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        return str(self.digest.hexdigest())

    def take(self, data: bytes) -> None:
        self.head = (self.head + data[:KEPT_BYTES])[:KEPT_BYTES]
        self.size += len(data)
        self.digest.update(data)


@dataclass(slots=True)
class Form:
    """`is_whole` is true once the closing boundary came."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, FormFile] = field(default_factory=dict)
    is_whole: bool = False

    def as_json(self) -> dict[str, Any]:
        files = {
            name: {"name": one.name, "type": one.content_type, "size": one.size, "sha256": one.sha256}
            for name, one in self.files.items()
        }
        return {"fields": self.fields, "files": files}


def boundary_of(content_type: str) -> str | None:
    """The boundary of a form, None for any other body."""
    found = _BOUNDARY.match(content_type)
    return (found[1] or found[2]) if found else None


class FormParser:
    """Bytes in through `feed`; `form` fills meanwhile. Holds one head or one field and a boundary at most."""

    def __init__(self, boundary: str) -> None:
        self.form = Form()
        self._delimiter = b"\r\n--" + boundary.encode("latin-1")
        self._buffer = bytearray(b"\r\n")  # so that the first boundary looks like the others
        self._file: FormFile | None = None
        self._field: str | None = None
        self._value = bytearray()
        self._parts = 0

    def feed(self, data: bytes) -> None:
        """Raises BadForm."""
        self._buffer += data
        while not self.form.is_whole and (self._take_content() and self._take_head()):
            pass
        if self.form.is_whole:
            self._buffer.clear()

    def _take_content(self) -> bool:
        """Hands on what belongs to the current part; True when a boundary has come."""
        end = self._buffer.find(self._delimiter)
        if end < 0:
            self._hand_on(max(0, len(self._buffer) - len(self._delimiter) + 1))
            return False
        self._hand_on(end)
        return True

    def _hand_on(self, length: int) -> None:
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        if self._file is not None:
            self._file.take(data)
        elif self._field is not None:
            self._value += data
            if len(self._value) > MAX_FIELD_BYTES:
                raise BadForm("a field is too long")
        elif data:
            raise BadForm("the form does not begin with its boundary")

    def _take_head(self) -> bool:
        """Takes the boundary and the head after it; False while bytes are missing."""
        start = len(self._delimiter)
        if bytes(self._buffer[start : start + 2]) == b"--":
            self._end_part()
            self.form.is_whole = True
            return False
        end = self._buffer.find(b"\r\n\r\n", start, start + MAX_HEAD_BYTES)
        if end < 0:
            if len(self._buffer) > start + MAX_HEAD_BYTES:
                raise BadForm("the head of a part is too long")
            return False
        head = bytes(self._buffer[start:end])
        del self._buffer[: end + 4]
        self._end_part()
        self._begin_part(head)
        return True

    def _end_part(self) -> None:
        if self._field is not None:
            self.form.fields[self._field] = self._value.decode("utf-8", "replace")
        self._file = self._field = None
        self._value.clear()

    def _begin_part(self, head: bytes) -> None:
        self._parts += 1
        if not head.startswith(b"\r\n") or self._parts > MAX_PARTS:
            raise BadForm("a boundary does not end its line, or there are too many parts")
        lines = [line.partition(":") for line in head[2:].decode("utf-8", "replace").split("\r\n")]
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        disposition = headers.get("content-disposition", "")
        parameters = dict(_PARAMETER.findall(disposition))
        if not disposition.startswith("form-data;") or not parameters.get("name"):
            raise BadForm("a part has no name")
        if "filename" in parameters:
            self._file = FormFile(parameters["filename"], headers.get("content-type", ""))
            self.form.files[parameters["name"]] = self._file
        else:
            self._field = parameters["name"]
