"""A client of the embedded upstream on plain sockets: every byte and every HTTP chunk can be looked at."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Self

from demo.signing import apply_check_digit, signature

ASSISTANT = "65940acff94777010aa6b796"
STREAM = "/chatglm/backend-api/assistant/stream"
REFRESH_2024 = "/chatglm/backend-api/v1/user/refresh"
REFRESH = "/chatglm/user-api/user/refresh"
DELETE_2024 = "/chatglm/backend-api/assistant/conversation/delete"
BULK_DELETE = "/chatglm/mainchat-api/conversation/bulk_delete"
STOP = "/chatglm/mainchat-api/stream/stop_stream"
USER_INFO = "/chatglm/user-api/user/info"

Headers = dict[str, str]


@dataclass
class Reply:
    """A whole answer. `pieces` are its HTTP chunks; `complete`: the body ended as HTTP wants it."""

    status: int
    headers: Headers
    pieces: list[bytes] = field(default_factory=list)
    complete: bool = True

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def frames(self) -> list[dict[str, Any]]:
        return parse_frames(self.body)

    @property
    def text(self) -> str:
        return fold(self.frames).get("text", "")


class Client:
    """One connection at a time; a new one is opened whenever the last one broke."""

    def __init__(self, url: str, timeout_seconds: float = 10) -> None:
        host, port = url.removeprefix("http://").split(":")
        self.address = (host, int(port))
        self.token = ""
        self._timeout_seconds = timeout_seconds
        self._socket: socket.socket | None = None
        self._input: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._input is not None:
            self._input.close()
        if self._socket is not None:
            self._socket.close()
        self._input = self._socket = None

    def logged_in(self, refresh_token: str) -> Self:
        """Takes the access token of a refresh; a refused refresh fails here."""
        self.token = self.refresh(refresh_token).json["result"]["access_token"]
        return self

    def refresh(self, refresh_token: str, path: str = REFRESH) -> Reply:
        return self.call("POST", path, {}, headers=signed_headers(refresh_token))

    def chat(self, text: str, conversation_id: str = "", **fields: Any) -> Reply:
        """A whole answer to one message; `fields` replace or add fields of the body."""
        return self.post(STREAM, chat_body(text, conversation_id) | fields)

    def post(self, path: str, body: Any) -> Reply:
        return self.call("POST", path, body)

    def call(self, method: str, path: str, body: Any = None, headers: Headers | None = None) -> Reply:
        """Sends a signed call and reads all of its answer."""
        self.send(method, path, body, headers)
        reply = self.read_head()
        reply.pieces = list(self.read_pieces(reply))
        return reply

    def send(self, method: str, path: str, body: Any = None, headers: Headers | None = None) -> None:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = signed_headers(self.token) if headers is None else headers
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(
            [f"{method} {path} HTTP/1.1", "Host: demo", f"Content-Length: {len(data)}", *lines, "", ""]
        )
        self.send_raw(head.encode("latin-1") + data)

    def send_raw(self, data: bytes) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(self.address, self._timeout_seconds)
            self._input = self._socket.makefile("rb")
        self._socket.sendall(data)

    def read_head(self) -> Reply:
        status = int(self.input.readline().split()[1])
        headers = {}
        while line := self.input.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Reply(status, headers)

    def read_pieces(self, reply: Reply) -> Iterator[bytes]:
        """The HTTP chunks of a body as they come; notes in `reply` when it does not end well."""
        if "content-length" in reply.headers:
            yield self.input.read(int(reply.headers["content-length"]))
            return
        while line := self.input.readline():
            size = int(line, 16)
            piece = self.input.read(size + 2)[:-2]
            if not size:
                return
            yield piece
        reply.complete = False
        self.close()

    @property
    def input(self) -> BinaryIO:
        assert self._input is not None, "nothing was sent"
        return self._input


def signed_headers(token: str) -> Headers:
    """All the headers that a call needs, as protocol notes 2 describe them."""
    timestamp, nonce = apply_check_digit(str(time.time_ns() // 1_000_000)), uuid.uuid4().hex
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "User-Agent": "Mozilla/5.0",
        "X-Device-Id": uuid.uuid4().hex,
        "X-Request-Id": uuid.uuid4().hex,
        "X-App-Platform": "pc",
        "X-App-Version": "0.0.1",
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Sign": signature(timestamp, nonce),
    }


def chat_body(text: str, conversation_id: str = "") -> dict[str, Any]:
    return {
        "assistant_id": ASSISTANT,
        "conversation_id": conversation_id,
        "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}],
        "meta_data": {"chat_mode": "", "is_networking": False},
    }


def parse_frames(body: bytes) -> list[dict[str, Any]]:
    """The JSON of every `data:` line, in order."""
    lines = body.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]


def fold(frames: list[dict[str, Any]]) -> dict[str, str]:
    """The whole text of every content type: the last finished state of each part, in order of appearance."""
    wholes: dict[str, tuple[str, str]] = {}
    for frame in frames:
        for part in frame.get("parts") or []:
            item = part["content"][0]
            whole = item.get({"think": "think", "code": "code"}.get(item["type"], "text"), "")
            if part["status"] == "finish" or frame.get("status") == "finish":
                wholes[part["logic_id"]] = (item["type"], whole)
    folded: dict[str, str] = {}
    for kind, whole in wholes.values():
        folded[kind] = folded.get(kind, "") + whole
    return folded


def items(reply: Reply) -> list[dict[str, Any]]:
    return [part["content"][0] for frame in reply.frames for part in frame.get("parts") or []]


def types(reply: Reply) -> list[str]:
    """The content types in order of appearance, each once in a row."""
    found = [item["type"] for item in items(reply)]
    return [kind for number, kind in enumerate(found) if not number or found[number - 1] != kind]


def statuses(reply: Reply) -> list[str]:
    return [frame.get("status", "") for frame in reply.frames]
