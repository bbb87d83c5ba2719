"""The formats in which the soak's clients ask, and how a stream of each ends."""

from __future__ import annotations

import json
from typing import Any

CHAT, RESPONSES, MESSAGES = PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
_SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
_GOOD_ENDS = {"response.completed", "response.incomplete", "message_stop"}


def build_body(path: str, text: str, *, stream: bool, has_tools: bool) -> dict[str, Any]:
    """A question for `path`, with a tool that nobody calls where `has_tools`."""
    turns = [{"role": "user", "content": text}]
    if path == CHAT:
        body: dict[str, Any] = {"messages": turns}
        tool: dict[str, Any] = {"type": "function", "function": {"name": "look", "parameters": _SCHEMA}}
    elif path == RESPONSES:
        body = {"input": text, "store": False}
        tool = {"type": "function", "name": "look", "parameters": _SCHEMA}
    else:
        body = {"messages": turns, "max_tokens": 100_000}
        tool = {"name": "look", "input_schema": _SCHEMA}
    return {"model": "glm", "stream": stream, **body} | ({"tools": [tool]} if has_tools else {})


def read_end(data: str) -> str:
    """The code of the error that a stream ended with, empty for a good end.

    `data` is that of its last event; anything that ends no stream raises KeyError or ValueError.
    """
    if data == "[DONE]":
        return ""
    event = json.loads(data)
    if event.get("type") in _GOOD_ENDS:
        return ""
    code = (event["response"] if event.get("type") == "response.failed" else event)["error"]["code"]
    return str(code)
