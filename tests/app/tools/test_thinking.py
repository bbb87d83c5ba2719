"""A call that the thinking ends with counts; one that it only mentions does not."""

from __future__ import annotations

import pytest

from app.tools.name import Names
from app.tools.thinking import find_thought_call
from tests.app.tools.detecting import CLOSER, DIALECT, TOOLS, opener

CALL = f'{opener("read_file")}{{"path":"a"}}{CLOSER}'


@pytest.mark.parametrize(
    "thinking",
    [CALL, f"I should read it.\n{CALL}\n", f"{opener('now')}?? no. {CALL}", f"Read it: {CALL[:-12]} "],
)
def test_a_call_at_the_end_counts(thinking: str) -> None:
    found = find_thought_call(thinking, DIALECT, Names(TOOLS), lambda _: "call_1")
    assert found is not None
    assert (found.call.id, found.call.tool.name, found.call.arguments) == (
        "call_1",
        "read_file",
        '{"path":"a"}',
    )


@pytest.mark.parametrize(
    "thinking",
    [
        "",
        "I should read it.",
        f"{CALL} That will do.",
        f"{CALL}\nThen write.",
        CALL[:-16],
        f"{opener('read_file')}oops{CLOSER}",
        f"{opener('rm')}{{}}{CLOSER}",
        f"Write `{opener('read_file')}`",
        '<tool_call>now</tool_call>',
        '{"function_call": {"name": "now", "arguments": {}}}',
    ],
)  # fmt: skip
def test_anything_else_does_not(thinking: str) -> None:
    assert find_thought_call(thinking, DIALECT, Names(TOOLS), lambda _: "call_1") is None


def test_long_thinking_is_looked_at_once() -> None:
    thinking = "I think <call-k3x9 and so on. " * 60_000 + CALL
    assert find_thought_call(thinking, DIALECT, Names(TOOLS), lambda _: "call_1") is not None
