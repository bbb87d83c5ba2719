"""`python -m tests.acceptance.flood_server`: an upstream and a server of files that never pause.

The path, or a word in the question, says what is played; every other question is answered well, slowly and
without end. Each connection has a process of its own, so that floods do not slow the honest answers down.
"""

from __future__ import annotations

import json
import re
import signal
import socketserver
import sys
import time
from contextlib import suppress
from urllib.parse import urlsplit

from tests.app.upstream.scripted import answer

_REFRESH = "/chatglm/user-api/user/refresh"
_STREAM = "/chatglm/backend-api/assistant/stream"
_MAX_SECONDS = 120.0
_PACE_SECONDS = 0.02
_REFRESHED = answer(b'{"status":0,"result":{"access_token":"a.b.c"}}')
_DONE = answer(b'{"status":0,"result":null}')
_SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_FILE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _frame(status: str, text: str, **meta: bool) -> bytes:
    content = [{"type": "text", "text": text, "status": status}]
    document = {
        "id": "b" * 24,
        "conversation_id": "a" * 24,
        "status": status,
        "parts": [{"logic_id": "l", "status": status, "content": content}],
        "meta_data": meta,
    }
    return _chunk(b"data: %b\n\n" % json.dumps(document).encode())


_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n" * 100
FLOODS: dict[str, tuple[bytes, bytes]] = {
    "continue": (b"", _CONTINUE),
    "fields": (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
    "chunks": (_FILE, b"1\r\nx\r\n" * 1000),
    "trailers": (_FILE + b"0\r\n", b"X: y\r\n" * 1000),
    "after-finish": (_SSE + _frame("finish", "Hello"), _frame("finish", "Hello") * 500),
    "comments": (_SSE + _frame("init", "Hel"), _chunk(b": x\n\n" * 10_000)),
    "frames": (_SSE, _frame("init", "Hel") * 500),
    "deltas": (_SSE, _frame("init", "x" * 60_000, if_increase_push=True)),
    "one-line": (_SSE + _frame("init", "Hel"), _chunk(b"data: " + b"x" * 65_536)),
    "tiny-events": (_SSE + _frame("init", "Hel"), b"1\r\n\n\r\n" * 10_000),
}
"""By name: how an answer begins, and what comes again and again after that."""


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.settimeout(_MAX_SECONDS)
        with suppress(OSError):
            while request := self._read():
                self._answer(request)

    def _read(self) -> bytes:
        """One request with its body; empty at the end of the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := self.request.recv(65_536)):
                return b""
            data += piece
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", data)
        end = data.index(b"\r\n\r\n") + 4 + (int(length[1]) if length else 0)
        while len(data) < end and (piece := self.request.recv(65_536)):
            data += piece
        return data

    def _answer(self, request: bytes) -> None:
        path = urlsplit(request.split(b" ")[1].decode("latin-1")).path
        named = [name for name in FLOODS if b"flood=%b " % name.encode() in request]
        if named:
            self._flood(*FLOODS[named[0]])
        elif path == _STREAM:
            self._talk()
        else:
            (_REFRESHED if path == _REFRESH else _DONE)(self.request)

    def _flood(self, begin: bytes, piece: bytes) -> None:
        ends_at = time.monotonic() + _MAX_SECONDS
        self.request.sendall(begin)
        while time.monotonic() < ends_at:
            self.request.sendall(piece)
        self.request.close()

    def _talk(self) -> None:
        ends_at, text = time.monotonic() + _MAX_SECONDS, ""
        self.request.sendall(_SSE)
        while time.monotonic() < ends_at:
            text += "."
            self.request.sendall(_frame("init", text))
            time.sleep(_PACE_SECONDS)


class _Server(socketserver.ForkingTCPServer):
    max_children = 1000
    request_queue_size = 128


def main() -> None:
    with _Server(("127.0.0.1", 0), _Connection) as server:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        print(f"listening http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever(poll_interval=0.5)


if __name__ == "__main__":
    main()
