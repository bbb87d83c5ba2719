"""The estimate of what a question takes, held against what it really takes."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from app.core.size import measure_question
from app.formats.openai_chat.asked import parse_chat
from app.formats.openai_responses.asked import parse_response

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


ITEMS: dict[str, Any] = {
    "one text": "x" * 3_000_000,
    "many messages": [{"role": "user", "content": "x"}] * 10_000,
    "many calls": [{"type": "function_call", "name": "x", "arguments": "{}"}] * 10_000,
    "many results": [{"type": "function_call_output", "call_id": "c", "output": "x"}] * 10_000,
    "many parts": [{"role": "user", "content": [{"type": "input_text", "text": "x"}] * 10_000}],
    "many items that are skipped": [{"role": "user", "content": "x"}, *[{"type": "hologram"}] * 9_999],
}


@pytest.mark.parametrize("items", ITEMS.values(), ids=ITEMS)
def test_the_same_of_responses(items: Any) -> None:
    body = json.dumps({"input": items}).encode()
    tracemalloc.start()
    try:
        asked = parse_response(body, max_text_chars=4_000_000)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held <= len(body) + measure_question(asked.question)
