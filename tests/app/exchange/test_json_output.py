"""JSON mode in a whole exchange: held, checked, asked for once more, honest in the end."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import GatewayError
from app.core.event import CitedText, ReasoningDelta, ReplyFinished, TextDelta, ToolCalled
from app.core.tool import Tool, ToolChoice
from app.exchange.transforms.calls import CallOptions
from app.exchange.transforms.json_output import JsonOptions
from app.exchange.transforms.options import OutputOptions
from app.exchange.unusable import JsonNotValid
from app.metrics.counters import Counters
from app.tools.dialect import Dialect
from app.tools.json_format import JsonFormat
from app.tools.name import Names
from tests.app.exchange.script import FINISHED, STARTED, Rig, Step

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
GOOD = '{"a": 1}'
FILTERED = ReplyFinished("content_filter")


def tell(*steps: Step, again: Any = None, with_tools: bool = False, **wishes: Any) -> list[Any]:
    counters = Counters()
    calls = (
        CallOptions(Dialect("k3x9"), Names([Tool("now")]), ToolChoice(), "", counters) if with_tools else None
    )
    wanted = JsonOptions(JsonFormat(SCHEMA), counters)
    rig = Rig(STARTED, *steps, options=OutputOptions(calls=calls, json_output=wanted, **wishes), again=again)
    told: list[Any] = []
    try:
        rig.commit()
    except GatewayError as error:
        return [type(error)]
    for _, events in rig.play():
        told += events if isinstance(events, list) else [events]
    rig.close()
    return told


@pytest.mark.parametrize("text", [GOOD, f"```json\n{GOOD}\n```", f"Here it is: {GOOD} As you wished."])
@pytest.mark.parametrize("with_tools", [True, False])
def test_the_value_alone_is_delivered(text: str, *, with_tools: bool) -> None:
    steps = [TextDelta(character) for character in text]
    assert tell(*steps, FINISHED, with_tools=with_tools) == [TextDelta(GOOD), FINISHED]


def test_thinking_is_shown_meanwhile() -> None:
    thought = ReasoningDelta("hm")
    assert tell(thought, TextDelta(GOOD), FINISHED) == [thought, TextDelta(GOOD), FINISHED]


@pytest.mark.parametrize("text", ["no", '{"a": "x"}', "{}", f"{GOOD} or {GOOD}", '{"a": 1', ""])
@pytest.mark.parametrize("with_tools", [True, False])
def test_what_is_not_valid_is_asked_for_once_more(text: str, *, with_tools: bool) -> None:
    first: list[Step] = [TextDelta(text)] if text else [ReasoningDelta("hm")]
    shown = [] if text else first
    if with_tools and not text:
        return  # thinking alone is for the calls to judge
    told = tell(*first, FINISHED, again=(TextDelta(GOOD), FINISHED), with_tools=with_tools)
    assert told == [*shown, TextDelta(GOOD), FINISHED]
    again = (TextDelta("still not"), FINISHED)
    assert tell(*first, FINISHED, again=again, with_tools=with_tools) == [*shown, JsonNotValid]


def test_what_is_filtered_or_cut_is_told_by_its_reason() -> None:
    assert tell(TextDelta("{"), FILTERED) == [TextDelta("{"), FILTERED]
    told = tell(TextDelta(GOOD), FINISHED, max_tokens=2)
    assert told[-1] == ReplyFinished("length")


def test_a_call_needs_no_json() -> None:
    text = 'I look. <call-k3x9 name="now"></call-k3x9>'
    told = tell(TextDelta(text), FINISHED, with_tools=True)
    assert isinstance(told[1], ToolCalled)
    assert (told[0], told[2]) == (TextDelta("I look. "), ReplyFinished("tool_calls"))


def test_a_citation_is_text() -> None:
    assert tell(TextDelta(GOOD), CitedText(" [1](u)", "u", "t"), FINISHED) == [TextDelta(GOOD), FINISHED]
