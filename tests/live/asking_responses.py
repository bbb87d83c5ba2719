"""Asking for responses, streamed and whole, by the official client's own parsers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from openai import OpenAI

from upstream_emulator.emulator import UpstreamEmulator

READ: Any = {
    "type": "function",
    "name": "read_file",
    "description": "Read a file.",
    "strict": False,
    "parameters": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
        "required": ["path"],
    },
}
PATCH: Any = {"type": "custom", "name": "apply_patch", "description": "Edit files."}
ARGUMENTS = '{"path":"a.txt","lines":3}'
ARGS = f"args={quote(ARGUMENTS)}"

streamed = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def ask(client: OpenAI, said: Any, *, stream: bool, **more: Any) -> Any:
    """The response, by the way that agents take; raises where the client's own parser does."""
    responses: Any = client.responses
    if not stream:
        return responses.create(model="glm", input=said, **more)
    with responses.stream(model="glm", input=said, **more) as events:
        for _ in events:
            pass
        return events.get_final_response()


def count_questions(upstream: UpstreamEmulator) -> int:
    return sum(sent["path"].endswith("assistant/stream") for sent in upstream.requests())


def prompts(upstream: UpstreamEmulator) -> list[str]:
    asked = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("assistant/stream")]
    return [body["messages"][0]["content"][-1]["text"] for body in asked]
