"""Requests as bytes on the wire (latin-1 text), to a gateway and to the upstream itself."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from itertools import cycle
from urllib.parse import urlsplit

from upstream_emulator.signing import apply_check_digit, signature

TOOLS = 10

_ASSISTANT_ID = "65940acff94777010aa6b796"
_STREAM_PATH = "/chatglm/backend-api/assistant/stream"
_REFRESH_PATH = "/chatglm/user-api/user/refresh"
_DELETE_PATH = "/chatglm/mainchat-api/conversation/bulk_delete"


def split_address(url: str) -> tuple[str, int, str]:
    """Host, port and path of an http URL. Raises ValueError at any other."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"expected an address that begins with http://, got {url!r}")
    return parts.hostname, parts.port or 80, parts.path.rstrip("/")


def build_chat(
    url: str,
    key: str,
    model: str,
    message: str,
    *,
    stream: bool,
    history: Sequence[str] = (),
    offers_tools: bool = False,
) -> str:
    """A chat completion request to the gateway at `url`, with or without its `/v1`.

    `history` is what was said before, the user's turns and the assistant's in turn.
    """
    host, port, path = split_address(url)
    said = [*zip(cycle(("user", "assistant")), history), ("user", message)]
    messages = [{"role": role, "content": content} for role, content in said]
    body: dict[str, object] = {"model": model, "stream": stream, "messages": messages}
    if offers_tools:
        body["tools"] = [_build_tool(number) for number in range(TOOLS)]
    return _post(f"{host}:{port}", f"{path.removesuffix('/v1')}/v1/chat/completions", key, body, {})


def _build_tool(number: int) -> dict[str, object]:
    """One of those that agents offer: a description, and three parameters."""
    properties = {
        "path": {"type": "string", "description": "Where it lies, from the root of the project."},
        "lines": {"type": "integer", "description": "How many lines."},
        "options": {"type": "array", "items": {"type": "string"}},
    }
    parameters = {"type": "object", "properties": properties, "required": ["path"]}
    description = f"Does the work number {number} on a file, and tells what came of it. " * 5
    function = {"name": f"work_{number}", "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def build_upstream_stream(url: str, access_token: str, message: str) -> str:
    """The upstream's own stream request (protocol notes 3.1), good for one use."""
    body: dict[str, object] = {
        "assistant_id": _ASSISTANT_ID,
        "conversation_id": "",
        "messages": [{"role": "user", "content": [{"type": "text", "text": message}]}],
        "meta_data": {"chat_mode": "", "is_networking": False},
    }
    return _post_upstream(url, _STREAM_PATH, access_token, body)


def build_refresh(url: str, refresh_token: str) -> str:
    return _post_upstream(url, _REFRESH_PATH, refresh_token, {})


def build_deletion(url: str, access_token: str, conversation_id: str) -> str:
    body: dict[str, object] = {"conversation_ids": [conversation_id], "assistant_id": _ASSISTANT_ID}
    return _post_upstream(url, _DELETE_PATH, access_token, body)


def _post_upstream(url: str, path: str, bearer: str, body: dict[str, object]) -> str:
    host, port, _ = split_address(url)
    timestamp, nonce = apply_check_digit(str(time.time_ns() // 1_000_000)), uuid.uuid4().hex
    signed = {
        "User-Agent": "Mozilla/5.0",
        "X-Device-Id": uuid.uuid4().hex,
        "X-App-Platform": "pc",
        "X-App-Version": "0.0.1",
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Sign": signature(timestamp, nonce),
    }
    return _post(f"{host}:{port}", path, bearer, body, signed)


def _post(host: str, path: str, bearer: str, body: dict[str, object], headers: dict[str, str]) -> str:
    data = json.dumps(body)
    known = {
        "Host": host,
        "Authorization": f"Bearer {bearer}",
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
    }
    lines = [f"{name}: {value}" for name, value in (known | headers).items()]
    return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", data])
