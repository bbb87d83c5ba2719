"""`multipart/form-data` as it arrives: fields are kept, files are only looked at, so that a hundred megabytes
cost no more than one piece of them. Without I/O.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import NEED_DATA, Data, Event, Field, File, MultipartDecoder, Preamble, State

MAX_HEAD_BYTES = 8 * 1024
MAX_FIELD_BYTES = 64 * 1024
MAX_PARTS = 20
KEPT_BYTES = 64

_BOUNDARY = re.compile(r'multipart/form-data;.*?boundary=(?:"([^"]{1,70})"|([^\s";]{1,70}))', re.IGNORECASE)
_BLANKS = 16
"""So many bytes more than the boundary itself may its line have."""


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
    """Bytes in through `feed`; `form` fills meanwhile. Holds one head or one field and a boundary at most.

    werkzeug's decoder cuts them up; it is lenient, so what the site would refuse is refused here.
    """

    def __init__(self, boundary: str) -> None:
        self.form = Form()
        self._decoder = MultipartDecoder(boundary.encode("latin-1"), max_parts=MAX_PARTS)
        self._part: FormFile | str = ""
        """The file that goes by, or the name of the field."""
        self._value = bytearray()

    @property
    def held_bytes(self) -> int:
        return len(self._decoder.buffer) + len(self._value)

    def feed(self, data: bytes) -> None:
        """Raises BadForm."""
        if self.form.is_whole:
            return
        try:
            self._decoder.receive_data(data)
            if self._is_inside_boundary():
                return
            while (event := self._decoder.next_event()) is not NEED_DATA:
                self._take(event)
        except (ValueError, RequestEntityTooLarge) as error:
            raise BadForm(str(error)) from error
        self._check_held()
        self.form.is_whole = self._decoder.state is State.EPILOGUE

    def _is_inside_boundary(self) -> bool:
        """There werkzeug 3.1 takes the line break before a boundary for content: wait for the next byte."""
        delimiter = b"\r\n--" + self._decoder.boundary
        return self._decoder.buffer[-len(delimiter) - 1 : -1] == delimiter

    def _take(self, event: Event) -> None:
        match event:
            case Preamble(data) if data:
                raise BadForm("the form does not begin with its boundary")
            case Field() | File():
                self._part = _begin_part(event)
                if isinstance(self._part, FormFile):
                    self.form.files[event.name] = self._part
            case Data(data, more_data):
                self._add(data, is_last=not more_data)

    def _add(self, data: bytes, *, is_last: bool) -> None:
        if isinstance(self._part, FormFile):
            self._part.take(data)
            return
        self._value += data
        if len(self._value) > MAX_FIELD_BYTES:
            raise BadForm("a field is too long")
        if is_last:
            self.form.fields[self._part] = self._value.decode("utf-8", "replace")
            self._value.clear()

    def _check_held(self) -> None:
        """What waits for its end may wait for a head's length at most, a first boundary for its own."""
        held, state = len(self._decoder.buffer), self._decoder.state
        if state is State.PREAMBLE and held > len(self._decoder.boundary) + _BLANKS:
            raise BadForm("the form does not begin with its boundary")
        if state is State.PART and held > MAX_HEAD_BYTES:
            raise BadForm("the head of a part is too long")


def _begin_part(event: Field | File) -> FormFile | str:
    if not event.headers["content-disposition"].startswith("form-data;") or not event.name:
        raise BadForm("a part has no name")
    if isinstance(event, File):
        return FormFile(event.filename, event.headers.get("content-type", ""))
    return event.name
