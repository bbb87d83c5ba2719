"""What the friendly answer quotes."""

from __future__ import annotations

import json

import pytest

from app.chat.offer import build_offer
from app.chat.prompt import build_prompt
from app.formats.openai_chat.asked import parse_chat
from app.tools.dialect import Dialect
from upstream_emulator.transcript import last_words

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi there"}]


@pytest.mark.parametrize(
    "turns", [TURNS[1:], TURNS, [*TURNS[1:], {"role": "assistant", "content": "x"}, TURNS[1]]]
)
@pytest.mark.parametrize("tools", [[], [TOOL]])
def test_the_user_is_quoted_not_the_prompt(turns: list[object], tools: list[object]) -> None:
    body = json.dumps({"messages": turns, "tools": tools}).encode()
    question = parse_chat(body, max_text_chars=1000).question
    offer = build_offer(question, Dialect("ab12"))
    prompt = build_prompt(question.turns, continues=False, max_chars=10_000, offer=offer)
    assert last_words(prompt) == "hi there"
