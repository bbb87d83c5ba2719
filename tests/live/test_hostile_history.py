"""Histories as long as a request may be, in every format: read, digested, merged or refused by turns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.live.test_hostile import MAX_HOLD_SECONDS, longest_hold, metered

__all__ = ["metered"]

HISTORIES = {
    "one answer": lambda mark: [mark * (2_900_000 // len(mark))],
    "one answer that may be ours": lambda mark: [mark * (900_000 // len(mark))],
    "many answers": lambda mark: [mark * (350 // len(mark))] * 9_000,
}


@pytest.mark.parametrize("path", ["chat/completions", "messages", "responses"])
@pytest.mark.parametrize("shape", HISTORIES.values(), ids=HISTORIES)
@pytest.mark.parametrize("mark", ["你好 ", "![a](", "![](x)"])
def test_a_hostile_history_holds_the_loop_for_a_moment(
    metered: GatewayProcess, path: str, shape: Callable[[str], list[str]], mark: str
) -> None:
    """Read, digested to find its conversation, and merged or refused; the least of two counts."""
    messages = [{"role": "assistant", "content": text} for text in shape(mark)]
    said = [{"role": "user", "content": "a"}, *messages, {"role": "user", "content": "b"}]
    body = {"model": "glm", "max_tokens": 9, "input" if path == "responses" else "messages": said}
    holds = []
    for _ in range(2):
        longest_hold(metered)
        headers = {"Authorization": "Bearer demo-hostile-history"}
        answer = requests.post(f"{metered.url}/v1/{path}", json=body, headers=headers, timeout=30)
        holds.append(longest_hold(metered))
        assert answer.status_code in (200, 400)
    assert min(holds) < MAX_HOLD_SECONDS
