"""One answer to a client, its head and the first of its body in one write."""

from __future__ import annotations

import time
from typing import Any

from gunicorn.http.wsgi import Response
from gunicorn.util import http_date

from app.hub import send_all

# Beyond this a write of its own costs less than a copy of the body.
_MAX_JOINED_BYTES = 65_536
_CHUNK = b"%X\r\n%b\r\n"


class DateClock:
    """The `Date` of answers, written anew once a second."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def read(self) -> str:
        now = int(time.time())
        if now != self._second:
            self._second, self._text = now, http_date(now)
        return self._text


_clock = DateClock()


class LastPiece(bytes):
    """The last of a stream, so that it may leave together with the stream's end."""


class GatewayResponse(Response):  # type: ignore[misc]
    """gunicorn's, which writes a head by itself: two writes for every answer, and often two packets."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.headers_sent = False
        self._unsent = b""  # the head, or the last piece of a stream

    def default_headers(self) -> list[str]:
        connection = "upgrade" if self.upgrade else "close" if self.should_close() else "keep-alive"
        major, minor = self.req.version
        framing = "Transfer-Encoding: chunked\r\n" if self.chunked else ""
        return [
            f"HTTP/{major}.{minor} {self.status}\r\nServer: {self.version}\r\nDate: {_clock.read()}\r\n"
            f"Connection: {connection}\r\n{framing}"
        ]

    def send_headers(self) -> None:
        """Have the head ready; whoever calls this writes, or calls `flush`."""
        if not self.headers_sent:
            lines = self.default_headers() + [f"{name}: {value}\r\n" for name, value in self.headers]
            self._unsent = ("".join(lines) + "\r\n").encode("latin-1")
            self.headers_sent = True

    def flush(self) -> None:
        """Write what waits to be written with something else."""
        if self._unsent:
            unsent, self._unsent = self._unsent, b""
            send_all(self.sock, unsent)

    def write(self, data: bytes) -> None:
        if self.chunked and self.sent and data:  # a further piece of a stream, as nearly all are
            self.sent += len(data)
            if type(data) is LastPiece:
                self._unsent = _CHUNK % (len(data), data)
            else:
                send_all(self.sock, _CHUNK % (len(data), data))
        else:
            super().write(data)
            self.flush()  # nothing of a body came along, or there may be none

    def close(self) -> None:
        """The end of the answer."""
        self.send_headers()
        if self.chunked:
            self._emit(b"0\r\n\r\n")
        self.flush()

    def _emit_body(self, data: bytes) -> None:
        self._emit(_CHUNK % (len(data), data) if self.chunked else data)

    def _emit(self, data: bytes) -> None:
        if len(data) > _MAX_JOINED_BYTES:
            self.flush()
        unsent, self._unsent = self._unsent, b""
        if unsent or data:
            send_all(self.sock, unsent + data if unsent else data)
