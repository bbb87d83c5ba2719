"""A client of the upstream emulator on plain sockets: every byte and every HTTP chunk can be looked at."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, Self

from tests.raw_client import Answer, RawClient
from upstream_emulator.signing import apply_check_digit, signature

ASSISTANT = "65940acff94777010aa6b796"
STREAM = "/chatglm/backend-api/assistant/stream"
REFRESH_2024 = "/chatglm/backend-api/v1/user/refresh"
REFRESH = "/chatglm/user-api/user/refresh"
DELETE_2024 = "/chatglm/backend-api/assistant/conversation/delete"
DELETE = "/chatglm/mainchat-api/conversation/delete"
BULK_DELETE = "/chatglm/mainchat-api/conversation/bulk_delete"
STOP = "/chatglm/mainchat-api/stream/stop_stream"
USER_INFO = "/chatglm/user-api/user/info"

Headers = dict[str, str]


class Reply(Answer):
    """An answer of the upstream."""

    @property
    def frames(self) -> list[dict[str, Any]]:
        return parse_frames(self.body)

    @property
    def text(self) -> str:
        return fold(self.frames).get("text", "")


class Client(RawClient):
    """Speaks the protocol; a new connection is opened whenever the last one broke."""

    def __init__(self, url: str, timeout_seconds: float = 30) -> None:
        super().__init__(url, timeout_seconds)
        self.token = ""

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
        return self.read_answer()

    def send(self, method: str, path: str, body: Any = None, headers: Headers | None = None) -> None:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_request(method, path, signed_headers(self.token) if headers is None else headers, data)

    def read_head(self) -> Reply:
        answer = super().read_head()
        return Reply(answer.status, answer.headers)

    def read_answer(self) -> Reply:
        reply = self.read_head()
        reply.pieces.extend(self.read_pieces(reply))
        return reply


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
