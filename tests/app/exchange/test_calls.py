"""Tool calls in a whole exchange: live text, early ends, corrections before and after text, native calls."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import CutAnswer, EmptyAnswer, GatewayError, UpstreamThrottled, UpstreamTimeout
from app.core.event import (
    CitedText,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    TextDelta,
    ToolCalled,
    UpstreamCall,
)
from app.core.tool import Tool, ToolChoice
from app.exchange.transforms.calls import CallOptions
from app.exchange.transforms.options import OutputOptions
from app.exchange.unusable import ToolCallMalformed, ToolChoiceUnmet
from app.metrics.counters import Counters
from app.tools.dialect import Dialect
from app.tools.name import Names
from tests.app.exchange.script import FINISHED, STARTED, Rig, Step

READ = Tool(
    "read_file",
    parameters={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)
NOW = Tool("now", parameters={"type": "object", "properties": {}})
SEARCH = Tool("search", parameters={"type": "object", "properties": {}})
PATCH = Tool("patch", kind="custom")
CALL = '<call-k3x9 name="read_file">{"path": "a"}</call-k3x9>'
BROKEN = '<call-k3x9 name="read_file">{"path": "a}</call-k3x9>'
ENDED = ReplyFinished("tool_calls")
HI = TextDelta("Let me look. ")
FILTERED = ReplyFinished("content_filter")


class Calls(Rig):
    def __init__(self, *steps: Step, choice: ToolChoice = ToolChoice(), **more: Any) -> None:  # noqa: B008
        self.counters = Counters()
        names = Names((READ, NOW, SEARCH, PATCH))
        read_text = more.pop("read_text", "the prompt")
        calls = CallOptions(Dialect("k3x9"), names, choice, read_text, self.counters)
        wishes = more.pop("wishes", {})
        super().__init__(STARTED, *steps, options=OutputOptions(calls=calls, **wishes), **more)

    def tell(self) -> list[ReplyEvent | tuple[str, str] | type[GatewayError]]:
        """What the client hears, calls without their ids; how it failed."""
        told: list[Any] = []
        try:
            self.commit()
        except GatewayError as error:
            return [type(error)]
        for _, events in self.play():
            told += events if isinstance(events, list) else [events]
        self.close()
        return [(event.name, event.arguments) if isinstance(event, ToolCalled) else event for event in told]


CALLED = ("read_file", '{"path":"a"}')


def cut(text: str, size: int) -> list[Step]:
    return [TextDelta(text[place : place + size]) for place in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_call_behind_text_ends_the_answer_and_stops_the_upstream(size: int) -> None:
    rig = Calls(HI, *cut(CALL + "\nNow I wait.", size), 50.0, FINISHED)
    heard = rig.tell()
    assert heard == [HI, CALLED, ENDED]
    assert rig.log[-5:] == ["stream closed", "stream closed", "stopped b", "delivered", "released ok"]
    assert rig.seconds == 0
    assert rig.counters.tool_calls == {("text", "dialect"): 1}


def test_text_without_calls_is_as_without_tools() -> None:
    steps: list[Any] = [
        TextDelta("a < b"),
        TextDelta(" `x` {y} "),
        CitedText("[1](u)", "u", "t"),
        TextDelta("z"),
    ]
    assert Calls(*steps, FINISHED).tell() == [*steps, FINISHED]


def test_several_calls_have_ids_of_their_own() -> None:
    rig = Calls(TextDelta(CALL + '\n<call-k3x9 name="now"></call-k3x9>'), FINISHED)
    rig.commit()
    calls = [event for event in rig.hear() if isinstance(event, ToolCalled)]
    assert [call.name for call in calls] == ["read_file", "now"]
    assert len({call.id for call in calls}) == 2


def test_without_parallel_calls_the_first_is_the_last() -> None:
    rig = Calls(TextDelta(CALL + CALL), 9.0, FINISHED, choice=ToolChoice(is_parallel=False))
    assert rig.tell() == [CALLED, ENDED]


@pytest.mark.parametrize("before", [[], [HI]], ids=["before text", "after text"])
def test_an_unreadable_call_is_corrected_in_the_same_conversation(before: list[Step]) -> None:
    rig = Calls(*before, TextDelta(BROKEN), FINISHED, again=(TextDelta("Sorry. " + CALL), FINISHED))
    assert rig.tell() == [*before, CALLED, ENDED]
    assert "The call of read_file was unreadable" in rig.asked[0]
    assert [line for line in rig.log if line.startswith(("asked", "named", "released"))] == [
        "named a",
        "asked again in a",
        "released ok",
    ]
    assert rig.counters.answer_checks["corrected"] == rig.counters.answer_checks["malformed"] == 1


def test_the_upstream_is_stopped_before_it_is_asked_again() -> None:
    rig = Calls(
        TextDelta(CALL.replace('"a"', "nope") + "\nand so on"), 60.0, again=(TextDelta(CALL), FINISHED)
    )
    assert rig.tell() == [CALLED, ENDED]
    assert rig.log.index("stopped b") < rig.log.index("asked again in a")


@pytest.mark.parametrize("again", [BROKEN, "I cannot.", ""])
def test_a_bad_correction_is_an_error_of_its_own(again: str) -> None:
    second: list[Step] = [TextDelta(again)] if again else []
    rig = Calls(TextDelta(BROKEN), FINISHED, again=(*second, FINISHED))
    assert rig.tell() == [ToolCallMalformed]
    rig = Calls(HI, TextDelta(BROKEN), FINISHED, again=(*second, FINISHED))
    assert rig.tell() == [HI, ToolCallMalformed]
    assert rig.log[-1] == "released abandoned by tool_call_malformed"
    assert len(rig.asked) == 1


def test_the_upstreams_refusal_of_one_more_question_is_told_as_it_is() -> None:
    refusal = UpstreamThrottled("slow down")
    assert Calls(HI, TextDelta(BROKEN), FINISHED, again=refusal).tell() == [HI, UpstreamThrottled]


def test_an_unreadable_call_behind_a_good_one_is_left_out() -> None:
    assert Calls(TextDelta(CALL + BROKEN), FINISHED).tell() == [CALLED, ENDED]


REQUIRED = ToolChoice("required")


def test_a_forced_choice_holds_text_until_there_is_a_call() -> None:
    rig = Calls(HI, 5.0, TextDelta(CALL), FINISHED, choice=REQUIRED)
    assert rig.tell() == [HI, CALLED, ENDED]


def test_a_forced_choice_that_is_not_met_is_asked_for_once() -> None:
    rig = Calls(TextDelta("No need."), FINISHED, choice=REQUIRED, again=(TextDelta(CALL), FINISHED))
    assert rig.tell() == [CALLED, ENDED]
    assert "Write the call now" in rig.asked[0]
    rig = Calls(TextDelta("No need."), FINISHED, choice=REQUIRED, again=(TextDelta("No!"), FINISHED))
    assert rig.tell() == [ToolChoiceUnmet]
    assert rig.counters.answer_checks["unmet"] == 1


NATIVE = UpstreamCall("read_file", '{"path": "a"')


def test_a_native_call_of_a_declared_name_is_a_call() -> None:
    rig = Calls(HI, [NATIVE, UpstreamCall("now", "{}"), ReasoningDelta("hm")], TextDelta("?"), 60.0)
    assert rig.tell() == [HI, CALLED, ("now", "{}"), ENDED]
    assert rig.counters.tool_calls == {("native", "native"): 2}


FOREIGN_FORMS = [
    "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</arg_value></tool_call>",
    '<tool_call>{"name": "read_file", "arguments": {"path": "a"}}</tool_call>',
    '{"function_call": {"name": "read_file", "arguments": {"path": "a"}}}',
    '```json\n{"function_call": {"name": "read_file", "arguments": {"path": "a"}}}\n```',
]


@pytest.mark.parametrize("said", FOREIGN_FORMS)
def test_a_foreign_form_is_a_call_unless_it_may_have_been_read(said: str) -> None:
    """Out of the prompt, or out of what the gateway never saw: files, pages, earlier turns."""
    rig = Calls(TextDelta(said), FINISHED)
    assert rig.tell() == [CALLED, ENDED]
    for read_text in (f"The file says: {said}", None):
        rig = Calls(*cut(said, 3), FINISHED, read_text=read_text)
        told = rig.tell()
        assert told[-1] == FINISHED
        assert "".join(event.text for event in told[:-1] if isinstance(event, TextDelta)) == said


def test_ours_counts_whatever_was_read() -> None:
    assert Calls(TextDelta(CALL), FINISHED, read_text=None).tell() == [CALLED, ENDED]


def test_what_is_said_right_behind_a_native_call_is_not_told() -> None:
    """It is about the failure of the upstream's own executor, also where both come at once."""
    rig = Calls(HI, [NATIVE, TextDelta("There is no such function."), UpstreamCall("now", "{}")], FINISHED)
    assert rig.tell() == [HI, CALLED, ENDED]


def test_native_calls_of_the_site_are_its_own() -> None:
    steps: list[Any] = [UpstreamCall("search", '{"q": 1}'), UpstreamCall("finish", "{}")]
    assert Calls(*steps, HI, FINISHED).tell() == [HI, FINISHED]


def test_the_same_call_by_both_routes_is_one() -> None:
    assert Calls(TextDelta(CALL), NATIVE, FINISHED).tell() == [CALLED, ENDED]


def test_an_unreadable_native_call_is_corrected() -> None:
    rig = Calls(UpstreamCall("read_file", '{"path": "a'), FINISHED, again=(NATIVE, FINISHED))
    assert rig.tell() == [CALLED, ENDED]


THOUGHT = ReasoningDelta("hm")


def test_a_call_at_the_end_of_the_thinking_counts_where_there_is_nothing_else() -> None:
    thinking = ReasoningDelta("I should look: " + CALL)
    assert Calls(thinking, FINISHED).tell() == [thinking, CALLED, ENDED]
    assert Calls(thinking, HI, FINISHED).tell() == [thinking, HI, FINISHED]


def test_thinking_alone_goes_to_another_account_or_on() -> None:
    assert Calls(THOUGHT, FINISHED, wishes={"reasoning": "hidden"}).tell() == [EmptyAnswer]
    rig = Calls(THOUGHT, FINISHED, again=(HI, FINISHED))
    assert rig.tell() == [THOUGHT, HI, FINISHED]
    assert "go on" in rig.asked[0]
    assert Calls(THOUGHT, FINISHED, again=(THOUGHT, FINISHED)).tell() == [THOUGHT, THOUGHT, EmptyAnswer]


def test_an_answer_of_nothing_before_the_commit_point_and_after() -> None:
    assert Calls(FINISHED).tell() == [EmptyAnswer]
    rig = Calls(4.0, FINISHED, again=(TextDelta(CALL), FINISHED))
    assert rig.tell() == [CALLED, ENDED]


@pytest.mark.parametrize("begun", [CALL[:20], CALL[:-20], BROKEN[:-5]])
def test_a_call_that_is_cut_or_filtered_is_none(begun: str) -> None:
    error = CutAnswer("cut")
    assert Calls(HI, TextDelta(begun), error).tell() == [HI, CutAnswer]
    assert Calls(HI, TextDelta(begun), FILTERED).tell() == [HI, FILTERED]


@pytest.mark.parametrize("place", range(len("<call-k3x9 "), CALL.index("}")))
def test_a_call_in_which_the_upstream_falls_silent_is_a_timeout(place: int) -> None:
    rig = Calls(HI, TextDelta(CALL[:place]))
    rig.commit()
    assert [events for _, events in rig.play() if events is not None] == [[HI], UpstreamTimeout]
    rig.close()
    assert "stopped b" in rig.log
    assert rig.log[-1].startswith("released")
    assert rig.asked == []


def test_a_limit_in_a_call_ends_the_answer_without_it() -> None:
    rig = Calls(HI, TextDelta(CALL), FINISHED, wishes={"max_tokens": 8})
    assert rig.tell() == [HI, ReplyFinished("length")]


def test_arguments_are_typed_and_a_custom_tool_gets_its_text() -> None:
    text = '<call-k3x9 name="read_file">{"path": 5}</call-k3x9>'
    rig = Calls(TextDelta(text + '<call-k3x9 name="patch">{"input": "+a\\n"}</call-k3x9>'), FINISHED)
    assert rig.tell() == [("read_file", '{"path":"5"}'), ("patch", "+a\n"), ENDED]
    assert rig.counters.answer_checks["coerced"] == 1


def test_a_held_body_is_heard_as_heartbeats() -> None:
    rig = Calls(HI, *[step for piece in cut(CALL, 5) for step in (4.0, piece)], FINISHED)
    rig.commit()
    heard = rig.play()
    assert sum(events is None for _, events in heard) >= 5
    assert heard[-1][1] is not None
    assert rig.reply.finished
