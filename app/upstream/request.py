"""The body of a chat call upstream, as browsers of 2026-09 send it (protocol notes 3.1)."""

from __future__ import annotations

from typing import Literal

import msgspec

from app.upstream.upload import UploadedFile, build_references

ChatMode = Literal["", "thinking", "deep_thinking", "deep_research"]

DEFAULT_ASSISTANT_ID = "65940acff94777010aa6b796"
DRAWING_ASSISTANT_ID = "65a232c082ff90a2ad2f15e2"


class Drawing(msgspec.Struct, frozen=True):
    """How to draw: the upstream's own words, `none` for its choice (protocol notes 7)."""

    aspect_ratio: str = "1:1"
    style: str = "none"
    scene: str = "none"


class StreamRequest(msgspec.Struct, frozen=True):
    """One question to the upstream. An empty `conversation_id` begins a conversation."""

    prompt: str
    assistant_id: str = DEFAULT_ASSISTANT_ID
    conversation_id: str = ""
    chat_mode: ChatMode = ""
    reasoning_effort: Literal["", "low", "high", "max"] = ""
    selected_model: str = ""
    web_search: bool = False
    drawing: Drawing | None = None
    """Set where a picture is asked for."""
    files: tuple[UploadedFile, ...] = ()
    """What the account that is asked has uploaded for this question, in the user's order."""
    reads_calls: bool = False
    """The answer's native calls are wanted as events."""
    reads_searches: bool = False
    """What searches of the upstream's own find is wanted as events."""


def build_stream_body(request: StreamRequest) -> bytes:
    meta_data: dict[str, object] = {
        "cogview": _build_cogview(request.drawing),
        "is_test": False,
        "input_question_type": "xxxx",
        "channel": "",
        "draft_id": "",
        "chat_mode": request.chat_mode,
    }
    if request.reasoning_effort:
        meta_data["reasoning_effort"] = request.reasoning_effort
    if request.selected_model:
        meta_data["selected_model"] = request.selected_model
    meta_data |= {"is_networking": request.web_search, "quote_log_id": "", "platform": "pc"}
    content = [*build_references(request.files), {"type": "text", "text": request.prompt}]
    return msgspec.json.encode(
        {
            "assistant_id": request.assistant_id,
            "conversation_id": request.conversation_id,
            "project_id": "",
            "chat_type": "user_chat",
            "meta_data": meta_data,
            "messages": [{"role": "user", "content": content}],
        }
    )


def _build_cogview(drawing: Drawing | None) -> dict[str, object]:
    if drawing is None:
        return {"rm_label_watermark": False}
    return {
        "aspect_ratio": drawing.aspect_ratio,
        "style": drawing.style,
        "scene": drawing.scene,
        "chat_model": "",
        "rm_label_watermark": False,
    }
