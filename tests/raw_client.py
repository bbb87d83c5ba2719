"""HTTP on a plain socket: it sends any bytes, sees every piece as it comes, and can go away at any moment."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

CHAT_PATH = "/v1/chat/completions"


@dataclass(slots=True)
class Answer:
    """`headers` have small names; `pieces` are HTTP chunks; `is_whole`: the body ended as HTTP wants it."""

    status: int
    headers: dict[str, str]
    pieces: list[bytes] = field(default_factory=list)
    is_whole: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RawClient:
    """One connection, opened when something is sent; after `close` a new one.

    Whatever waits raises TimeoutError after `timeout_seconds`, and OSError where the connection breaks.
    """

    def __init__(self, url: str, timeout_seconds: float = 30, receive_bytes: int | None = None) -> None:
        """Where it reads slowly, a buffer of `receive_bytes` lets the other side notice soon."""
        address = urlsplit(url)
        self._address = (address.hostname or "", address.port or 80)
        self._timeout_seconds = timeout_seconds
        self._receive_bytes = receive_bytes
        self._socket: socket.socket | None = None
        self.received = bytearray()
        """What came and was not taken by `read_head`, `read_pieces` or `read_answer`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    @property
    def socket(self) -> socket.socket:
        assert self._socket is not None, "nothing was sent"
        return self._socket

    def send_raw(self, data: bytes) -> None:
        if self._socket is None:
            self.received.clear()
            self._socket = socket.socket()
            if self._receive_bytes is not None:  # must be set before the window is agreed on
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_bytes)
            self._socket.settimeout(self._timeout_seconds)
            self._socket.connect(self._address)
        self._socket.sendall(data)

    def send_request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_raw(build_request(method, path, headers, body))

    def receive(self, max_bytes: int = 65_536) -> bytes:
        """The next bytes, none at the end; they are kept in `received`, too."""
        data = self.socket.recv(max_bytes)
        self.received += data
        return data

    def read_until(self, mark: bytes) -> bytes:
        """All of `received` once `mark` is in it. Raises AssertionError at an early end."""
        while mark not in self.received:
            assert self.receive(), f"hung up before {mark!r}: {bytes(self.received)!r}"
        return bytes(self.received)

    def read_to_end(self) -> bytes:
        """All of `received` once the other side has hung up; closes."""
        while self.receive():
            pass
        self.close()
        return bytes(self.received)

    def read_head(self) -> Answer:
        while (end := self.received.find(b"\r\n\r\n")) < 0:
            if not self.receive():
                raise ConnectionError(f"hung up inside a head: {bytes(self.received)!r}")
        first, *lines = self._take(end + 4)[:-4].decode("latin-1").split("\r\n")
        fields = [line.partition(":") for line in lines]
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        return Answer(int(first.split(" ")[1]), headers)

    def read_pieces(self, answer: Answer) -> Iterator[bytes]:
        """The pieces of a body as they come; notes in `answer` whether it ended well, and closes if not."""
        length = answer.headers.get("content-length")
        try:
            if length is not None:
                yield self._read(int(length))
            else:
                while size := int(self._read_line(), 16):
                    yield self._read(size)
                    self._read_line()
                self._read_line()
            answer.is_whole = True
        except EOFError:
            self.close()

    def read_answer(self) -> Answer:
        answer = self.read_head()
        answer.pieces.extend(self.read_pieces(answer))
        return answer

    def _read_line(self) -> bytes:
        while (end := self.received.find(b"\r\n")) < 0:
            if not self.receive():
                raise EOFError
        return self._take(end + 2)

    def _read(self, size: int) -> bytes:
        while len(self.received) < size:
            if not self.receive():
                raise EOFError
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self.received[:size])
        del self.received[:size]
        return taken


def build_request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = [f"{method} {path} HTTP/1.1", "Host: client", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def open_call(
    url: str, method: str, path: str, key: str, body: bytes = b"", *, timeout_seconds: float = 30
) -> RawClient:
    """Asks; the answer is still to be read."""
    client = RawClient(url, timeout_seconds)
    client.send_request(method, path, {"Authorization": f"Bearer {key}"}, body)
    return client


def open_chat(
    url: str,
    key: str,
    question: str,
    *,
    stream: bool,
    send_bytes: int | None = None,
    receive_bytes: int | None = None,
    timeout_seconds: float = 30,
    **more: object,
) -> RawClient:
    """Asks for a chat completion. Sends `send_bytes` of the request at most; `more` goes into its body."""
    messages = [{"role": "user", "content": question}]
    body = json.dumps({"model": "glm", "stream": stream, "messages": messages, **more}).encode()
    client = RawClient(url, timeout_seconds, receive_bytes)
    request = build_request("POST", CHAT_PATH, {"Authorization": f"Bearer {key}"}, body)
    client.send_raw(request[:send_bytes])
    return client
