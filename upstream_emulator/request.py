"""HTTP/1.1 requests from bytes, without I/O.

Feed what the socket gave, take complete requests out. Both the head and the body are bounded; whatever is not
a request this server wants raises `BadRequest` with the HTTP status that says so, after which the connection
is of no further use.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from upstream_emulator.form import BadForm, Form, FormParser, boundary_of

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 128 * 1024 * 1024
MAX_CHUNK_LINE_BYTES = 256


class BadRequest(Exception):
    """What came is not a request that can be served; `status` is the HTTP status to answer before closing."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One whole request; `path` is without the query. Header names are lower case; of a repeated header the
    last value counts."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    form: Form | None = None
    """What a form held; its body is empty then, as it was not kept."""
    query: str = ""

    @property
    def wants_close(self) -> bool:
        """True when the client will not use the connection again."""
        return self.headers.get("connection", "").lower() == "close"

    @property
    def bearer(self) -> str:
        """The token of the `Authorization` header, or an empty string."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def json(self) -> Any:
        """The body as JSON, or None when it is not JSON (an empty body included)."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(slots=True)
class _Head:
    method: str
    target: str
    headers: dict[str, str]
    form: FormParser | None = None
    left: int = 0

    def with_body(self, body: bytes) -> Request:
        form = self.form.form if self.form is not None else None
        path, _, query = self.target.partition("?")
        return Request(self.method, path, self.headers, body, form, query)


class RequestParser:
    """Bytes in through `feed`, requests out of `next_request`; holds at most one head and one body."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._chunks: bytearray | None = None

    @property
    def buffered_bytes(self) -> int:
        return len(self._buffer)

    @property
    def awaits_continue(self) -> bool:
        """True while the client waits for `100 Continue` before it sends the body."""
        head = self._head
        return (
            head is not None and not self._buffer and head.headers.get("expect", "").lower() == "100-continue"
        )

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next_request(self) -> Request | None:
        """The next complete request, or None when bytes are missing. Raises BadRequest."""
        if self._head is None:
            self._head = self._take_head()
        if self._head is None:
            return None
        body = self._take_form(self._head) if self._head.form else self._take_body(self._head.headers)
        if body is None:
            return None
        head, self._head, self._chunks = self._head, None, None
        return head.with_body(body)

    def _take_head(self) -> _Head | None:
        while self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES + 4)
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise BadRequest(431, "the request head is too large")
            return None
        head = _parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        return head

    def _take_form(self, head: _Head) -> bytes | None:
        """Hands a form's bytes on as they come, so that none of a large file is held."""
        data = bytes(self._buffer[: head.left])
        del self._buffer[: head.left]
        head.left -= len(data)
        try:
            if head.form is not None:
                head.form.feed(data)
        except BadForm as error:
            raise BadRequest(400, str(error)) from None
        return None if head.left else b""

    def _take_body(self, headers: dict[str, str]) -> bytes | None:
        if "transfer-encoding" in headers:
            return self._take_chunked_body(headers["transfer-encoding"])
        length = _content_length(headers)
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _take_chunked_body(self, encoding: str) -> bytes | None:
        if encoding.lower() != "chunked":
            raise BadRequest(501, "only chunked transfer encoding is understood")
        if self._chunks is None:
            self._chunks = bytearray()
        while (chunk := self._take_chunk()) is not None:
            if not chunk:
                return bytes(self._chunks)
            self._chunks += chunk
            if len(self._chunks) > MAX_BODY_BYTES:
                raise BadRequest(413, "the body is too large")
        return None

    def _take_chunk(self) -> bytes | None:
        """One chunk, empty for the last one (trailers are not supported), None when bytes are missing."""
        line_end = self._buffer.find(b"\r\n", 0, MAX_CHUNK_LINE_BYTES)
        if line_end < 0:
            if len(self._buffer) >= MAX_CHUNK_LINE_BYTES:
                raise BadRequest(400, "a chunk size line is too long")
            return None
        size = _chunk_size(bytes(self._buffer[:line_end]))
        end = line_end + 2 + size + 2
        if len(self._buffer) < end:
            return None
        if self._buffer[end - 2 : end] != b"\r\n":
            raise BadRequest(400, "a chunk does not end where it says")
        chunk = bytes(self._buffer[line_end + 2 : end - 2])
        del self._buffer[:end]
        return chunk


def _parse_head(head: bytes) -> _Head:
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[0].isalpha() or not words[1].startswith("/"):
        raise BadRequest(400, "the request line is malformed")
    if words[2] != "HTTP/1.1":
        raise BadRequest(505, "only HTTP/1.1 is spoken here")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(400, "a header line is malformed")
        headers[name.lower()] = value.strip()
    return _with_form(_Head(words[0], words[1], headers))


def _with_form(head: _Head) -> _Head:
    """The head, ready for a form where one with a length is announced."""
    boundary = boundary_of(head.headers.get("content-type", ""))
    if boundary is not None and "content-length" in head.headers:
        head.form, head.left = FormParser(boundary), _content_length(head.headers)
    return head


def _content_length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(400, "Content-Length is not a number")
    if len(text) > 12 or int(text) > MAX_BODY_BYTES:
        raise BadRequest(413, "the body is too large")
    return int(text)


def _chunk_size(line: bytes) -> int:
    try:
        size = int(line.partition(b";")[0], 16)
    except ValueError:
        raise BadRequest(400, "a chunk size is not a number") from None
    if not 0 <= size <= MAX_BODY_BYTES:
        raise BadRequest(413, "the body is too large")
    return size
