"""Messages with files, and what the upstream emulator says that it saw."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

TEXT = {"type": "text", "text": "里面是什么？"}


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, "detail": "high"}}


def link(url: str) -> dict[str, Any]:
    return {"type": "file", "file_url": {"url": url}}


def inline(data: bytes, name: str, media_type: str = "application/pdf") -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": as_url(data, media_type), "filename": name}}


def as_url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def messages(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*parts]}]


def label(kind: str, name: str, data: bytes) -> str:
    """How the upstream emulator names a file that it can see."""
    return f"{kind} {name}（{len(data)} 字节，sha256 {hashlib.sha256(data).hexdigest()[:12]}）"
