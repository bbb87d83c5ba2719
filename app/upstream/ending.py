"""What ends an answer, and what is only said about its end (protocol notes 4.5, 4.7, 4.8). Pure."""

from __future__ import annotations

from typing import Any

from app.catalogue.upstream import ENDED_WITHOUT_REASON
from app.core.errors import UpstreamError
from app.upstream.failure import classify_detail, classify_refusal
from app.upstream.frames import Frame, Part


def is_executor(part: Part) -> bool:
    """The site's own tools report here; that they failed is nobody's failure (protocol notes 0.2 row 8)."""
    return part.role == "tool" and (part.model == "all-tools" or b'"mc_tool_result' in bytes(part.meta_data))


def ends(frame: Frame) -> bool:
    """Whether the answer ends with `frame`. Raises what it reports: a filter's words are no failure."""
    if frame.status == "intervene" or read_words(frame.last_error):
        return True
    error = classify_detail(frame.error) or classify_detail(frame.last_error)
    if error is None and frame.parts is None and (frame.code is not None or frame.message is not None):
        error = classify_refusal(frame.code, frame.message)
    if error is None and frame.status == "error":
        error = UpstreamError(ENDED_WITHOUT_REASON)
    if error is not None:
        raise error
    return frame.status == "finish"


def read_words(detail: Any) -> str:
    """What the content filter says, empty where it says nothing (protocol notes 4.7)."""
    words = detail.get("intervene_text") if isinstance(detail, dict) else None
    return words if isinstance(words, str) else ""
