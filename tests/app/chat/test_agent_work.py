"""What a large agent request costs before the upstream is asked: CPU time, the least of some times.

Twice what docs/performance.md gives: where others have the caches, the same work takes longer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.chat.offer import build_offer
from app.chat.prompt import build_prompt
from app.formats.openai_chat.asked import parse_chat
from app.tools.dialect import Dialect

DIALECT = Dialect("k3x9")
_RESULT = "if a < b: say('{x}')  # `y` 你好\n" * 80


def build_body(size: int, tools: int) -> bytes:
    """An agent in the middle of its work: a long system text, many tools, calls and results."""
    properties = {
        f"p{n}": {"type": "string", "description": "What it is for, said in words."} for n in range(6)
    }
    schema = {"type": "object", "properties": properties, "required": ["p0"]}
    functions = [
        {"name": f"tool_{n}", "description": "Does something useful. " * 10, "parameters": schema}
        for n in range(tools)
    ]
    offered = [{"type": "function", "function": function} for function in functions]
    messages: list[Any] = [{"role": "system", "content": "You are an agent. " * 500}]
    messages.append({"role": "user", "content": "Go on."})
    left = size - len(json.dumps([offered, messages]))
    while left > 0:
        called = {"name": f"tool_{len(messages) % tools}", "arguments": json.dumps({"p0": "x" * 100})}
        call = {"id": f"c{len(messages)}", "type": "function", "function": called}
        turn = [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": _RESULT},
        ]
        messages += turn
        left -= len(json.dumps(turn, ensure_ascii=False).encode())
    return json.dumps({"messages": messages, "tools": offered}, ensure_ascii=False).encode()


def measure_least_seconds(run: Callable[[], object]) -> float:
    def once() -> float:
        begun = time.thread_time()
        run()
        return time.thread_time() - begun

    return min(once() for _ in range(5))


@pytest.mark.parametrize(("size", "tools", "seconds"), [(200_000, 60, 0.03), (1_000_000, 128, 0.15)])
def test_a_large_request_costs_little_before_the_upstream_is_asked(
    size: int, tools: int, seconds: float
) -> None:
    body = build_body(size, tools)
    assert size <= len(body) < 1.1 * size

    def prepare() -> None:
        question = parse_chat(body, max_text_chars=10_000_000).question
        offer = build_offer(question, DIALECT)
        assert len(offer.names.tools) == tools
        prompt = build_prompt(question.turns, continues=False, max_chars=10_000_000, offer=offer)
        assert len(prompt) > 0.5 * size

    assert measure_least_seconds(prepare) < seconds
