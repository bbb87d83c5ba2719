"""What a stream with `"progress": true` says while its answer has not begun."""

from __future__ import annotations

from app.catalogue.message import Message

WAITS = {
    "queue": Message(
        "Waiting for an account: place {number} in the queue.", "正在排队等待账号：第 {number} 位。"
    ),
    "fetch": Message("Fetching file {number} of {count}.", "正在获取文件 {number}/{count}。"),
    "upload": Message("Uploading file {number} of {count}.", "正在上传文件 {number}/{count}。"),
    "ask": Message("Asked; waiting for the answer.", "已提问，正在等待回答。"),
    "search": Message("Searching the web.", "正在联网搜索。"),
    "research": Message("Researching.", "正在深入研究。"),
    "draw": Message("Drawing.", "正在绘制。"),
}
"""By the kind of a wait (`app/core/wait.py`)."""
