"""The estimate of what a question takes, held against what it really takes."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from app.core.size import measure_question
from app.formats.openai_chat.asked import parse_chat

PART = {"type": "text", "text": "x"}
PICTURE = {"type": "image_url", "image_url": {"url": "http://a.example/b.png"}}
REQUESTS: dict[str, list[dict[str, Any]]] = {
    "one text": [{"role": "user", "content": "x" * 3_000_000}],
    "a wide text": [{"role": "user", "content": "😀" + "x" * 900_000}],
    "many parts": [{"role": "user", "content": [PART] * 10_000}],
    "many pictures": [{"role": "user", "content": [PICTURE] * 10_000}],
    "many messages": [{"role": "user"}] * 10_000,
    "many calls": [{"role": "assistant", "tool_calls": [{"function": {}}] * 10_000}],
}


@pytest.mark.parametrize("messages", REQUESTS.values(), ids=REQUESTS)
def test_body_and_estimate_cover_what_is_held(messages: list[dict[str, Any]]) -> None:
    body = json.dumps({"messages": messages}, ensure_ascii=False).encode()
    tracemalloc.start()
    try:
        asked = parse_chat(body, max_text_chars=4_000_000)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    estimate = measure_question(asked.question)
    assert held <= len(body) + estimate
    assert estimate <= 8 * held
