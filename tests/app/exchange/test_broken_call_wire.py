"""Broken calls and forced choices from the upstream's bytes to the client's: one correction, then an error.

In every style, cut at every place, streamed and whole; never silence, never `{}`, never markup as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from app.core.errors import CutAnswer
from app.core.tool import ToolChoice
from app.exchange.transforms.json_output import JsonOptions
from app.exchange.transforms.options import OutputOptions
from app.metrics.counters import Counters
from app.tools.json_format import JsonFormat
from tests.app.exchange.format_reader import Heard
from tests.app.exchange.test_call_wire import (
    EACH_STYLE,
    FAILED_SANDBOX,
    HI,
    SANDBOX,
    THOUGHT,
    build_options,
)
from tests.app.exchange.wire import STYLES, Native, Part, Style, Text, cut_everywhere, hear, write
from tests.app.tools.detecting import CLOSER, TOOLS, opener
from tests.app.tools.test_detector import CALL_A, GOT_A, TEXT
from tests.app.tools.test_detector_damage import DAMAGED

DELTA = STYLES["delta"]
CALLED = Heard(calls=(GOT_A,), finish="tool_calls")
MALFORMED = Heard(finish=None, error="tool_call_malformed")
UNMET = Heard(finish=None, error="tool_choice_unmet")
REQUIRED = ToolChoice("required")
BROKEN = f'{opener("read_file")}{{"path": "a"}}}}{CLOSER}'


def say(*parts: Part) -> Callable[[], Iterable[bytes]]:
    """What the upstream answers when it is asked once more."""
    return lambda: write(parts, DELTA)


CORRECTION = say(Text(f"Sorry. {CALL_A}"))
EACH_CORRECTION = pytest.mark.parametrize(
    ("again", "expected"),
    [
        (CORRECTION, CALLED),
        (say(Native('{"path": "a"}')), CALLED),
        (say(Text(BROKEN)), MALFORMED),
        (say(Text("I cannot.")), MALFORMED),
        (say(THOUGHT), Heard(finish=None, error="tool_call_malformed", thinking=THOUGHT.text)),
        (say(), MALFORMED),
        (None, MALFORMED),
    ],
    ids=["good", "native", "bad", "words", "thinking", "nothing", "not asked"],
)


@EACH_STYLE
@pytest.mark.parametrize("row", DAMAGED)
@pytest.mark.parametrize(
    ("again", "calls", "error"),
    [(CORRECTION, (GOT_A,), None), (say(Text(BROKEN)), (), "tool_call_malformed")],
    ids=["then good", "then bad"],
)
def test_an_unreadable_call(row: str, again: Any, calls: Any, error: str | None, style: Style) -> None:
    said, _ = DAMAGED[row]
    parts = [Text(f"Now.\n{said}")]
    expected = Heard("Now.\n", calls, "tool_calls" if calls else None, error)
    for places in cut_everywhere(parts):
        assert hear(write(parts, style, places), build_options(), again=again) == expected, places


@EACH_STYLE
@EACH_CORRECTION
@pytest.mark.parametrize(
    "part", [Text(BROKEN), Native('{"path": "a'), Native("[1]"), Native("")], ids=lambda part: part.text
)
def test_what_comes_of_one_correction(part: Part, again: Any, expected: Heard, style: Style) -> None:
    for places in cut_everywhere([part]):
        assert hear(write([part], style, places), build_options(), again=again) == expected, places


WHOLE = f'{opener("read_file")}{{"path":"x","lines":12}}{CLOSER}'
BODY_ENDS = WHOLE.index("}") + 1
# So much of it is no opener yet, and may be text.
BEGINS = len(opener("read_file").split(" ")[0]) + 1


@EACH_STYLE
def test_a_call_that_the_answers_end_truncates(style: Style) -> None:
    for place in range(1, len(WHOLE)):
        heard = hear(write([Text(f"Hm. {WHOLE[:place]}")], style), build_options())
        if place < BEGINS:
            assert heard == Heard(f"Hm. {WHOLE[:place]}"), place
        elif place < BODY_ENDS:
            assert heard == Heard("Hm. ", finish=None, error="tool_call_malformed"), place
        else:
            assert heard == Heard("Hm. ", (("read_file", '{"path":"x","lines":12}'),), "tool_calls"), place


@EACH_STYLE
@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("", Heard("Hm. ", finish=None, error="answer_cut")),
        ("error", Heard("Hm. ", finish=None, error="upstream_error")),
        ("intervene", Heard("Hm. ", finish="content_filter")),
    ],
    ids=["cut", "error", "filtered"],
)
def test_a_call_in_which_the_answer_breaks_off(end: str, expected: Heard, style: Style) -> None:
    """Neither a call nor markup, wherever it happens, and nothing is asked again."""
    for place in range(BEGINS, BODY_ENDS):
        part = Text(f"Hm. {WHOLE[:place]}", status="")
        assert hear(write([part], style, (4,), end=end), build_options(), again=CORRECTION) == expected, place


@EACH_STYLE
@pytest.mark.parametrize("limit", range(1, 16))
def test_a_limit_in_a_call(limit: int, style: Style) -> None:
    """It counts what the client gets: a call is there whole, or not at all."""
    parts = [Text(f"Let me look into it now. {WHOLE}")]
    outcomes = {
        hear(write(parts, style, places), build_options(max_tokens=limit)) for places in cut_everywhere(parts)
    }
    for heard in outcomes:
        assert heard.error is None
        assert (heard.finish == "tool_calls") == bool(heard.calls)
        assert heard.finish in ("length", "tool_calls")
        assert "call-" not in heard.text
        assert "Let me look into it now. ".startswith(heard.text)


@EACH_STYLE
def test_a_stop_sequence_is_looked_for_in_the_text_alone(style: Style) -> None:
    called = Heard("Hm. ", (("read_file", '{"path":"x","lines":12}'),), "tool_calls")
    parts = [Text(f"Hm. {WHOLE}")]
    for stop in ("path", "lines", "</call", "}", '"x"'):
        for places in cut_everywhere(parts):
            assert hear(write(parts, style, places), build_options(stop=(stop,))) == called, (stop, places)
    for places in cut_everywhere(parts):
        assert hear(write(parts, style, places), build_options(stop=("m.",))) == Heard("H"), places


@EACH_STYLE
@pytest.mark.parametrize("said", ["Let me read the file.", *TEXT.values()])
def test_prose_is_no_call(said: str, style: Style) -> None:
    """Nor is an opener that is quoted, and nobody asks again where no call has to come."""
    for places in cut_everywhere([Text(said)]):
        assert hear(write([Text(said)], style, places), build_options()) == Heard(said), places


NAMED = ToolChoice("named", ("read_file",))
CHOICES: dict[str, tuple[ToolChoice, list[Part], Any, Heard]] = {
    "met": (REQUIRED, [Text(CALL_A)], None, CALLED),
    "met behind text": (
        REQUIRED,
        [HI, Text(CALL_A)],
        None,
        Heard(f"{HI.text}\n\n", (GOT_A,), "tool_calls"),
    ),
    "met natively": (REQUIRED, [Native('{"path": "a"}')], None, CALLED),
    "prose, corrected": (REQUIRED, [Text("No need.")], CORRECTION, CALLED),
    "prose, again": (REQUIRED, [Text("No need.")], say(Text("Really not.")), UNMET),
    "prose, then broken": (REQUIRED, [Text("No need.")], say(Text(BROKEN)), UNMET),
    "the sandbox, corrected": (REQUIRED, [SANDBOX, FAILED_SANDBOX, Text("I ran it.")], CORRECTION, CALLED),
    "the sandbox, again": (
        REQUIRED,
        [SANDBOX, FAILED_SANDBOX, Text("I ran it.")],
        say(SANDBOX, FAILED_SANDBOX, Text("Again.")),
        UNMET,
    ),
    "nothing, corrected": (REQUIRED, [], CORRECTION, CALLED),
    "thinking alone, corrected": (
        REQUIRED,
        [THOUGHT],
        CORRECTION,
        Heard(calls=(GOT_A,), finish="tool_calls", thinking=THOUGHT.text),
    ),
    "named and met": (NAMED, [Text(CALL_A)], None, CALLED),
    "one at a time": (ToolChoice(is_parallel=False), [Text(CALL_A * 2)], None, CALLED),
    "one at a time, natively": (
        ToolChoice(is_parallel=False),
        [Native('{"path": "a"}'), Native('{"path": "b"}', id="tool-2")],
        None,
        CALLED,
    ),
}


@EACH_STYLE
@pytest.mark.parametrize("row", CHOICES)
def test_a_choice(row: str, style: Style) -> None:
    choice, parts, again, expected = CHOICES[row]
    options = build_options(choice=choice)
    for places in cut_everywhere(parts):
        assert hear(write(parts, style, places), options, again=again) == expected, places


def test_another_tool_than_the_named_one_is_no_call() -> None:
    options = build_options([tool for tool in TOOLS if tool.name == "read_file"], NAMED)
    parts = [Text(f"{opener('now')}{{}}{CLOSER}")]
    for places in cut_everywhere(parts):
        assert hear(write(parts, DELTA, places), options, again=CORRECTION) == CALLED, places


@EACH_STYLE
@pytest.mark.parametrize("is_committed", [True, False])
def test_thinking_alone_is_asked_to_go_on_once_something_was_sent(
    style: Style, *, is_committed: bool
) -> None:
    expected = Heard("Done.", thinking=THOUGHT.text)
    failed = Heard(finish=None, error="empty_answer", thinking=THOUGHT.text)
    for places in cut_everywhere([THOUGHT]):
        heard = hear(
            write([THOUGHT], style, places),
            build_options(),
            again=say(Text("Done.")),
            is_committed=is_committed,
        )
        assert heard == (expected if is_committed else failed), places


POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "kind": {"enum": ["a", "b"]}},
    "required": ["x"],
    "additionalProperties": False,
}
GOOD = '{"x": 1, "kind": "a"}'
NOT_VALID = Heard(finish=None, error="json_not_valid")
JSON_ANSWERS: dict[str, tuple[list[Part], Any, Heard]] = {
    "pure": ([Text(GOOD)], None, Heard(GOOD)),
    "fenced": ([Text(f"```json\n{GOOD}\n```")], None, Heard(GOOD)),
    "with prose": ([Text(f"Here it is: {GOOD} As you wished.")], None, Heard(GOOD)),
    "behind thinking": ([THOUGHT, Text(GOOD)], None, Heard(GOOD, thinking=THOUGHT.text)),
    "two values": ([Text(f"{GOOD} or {GOOD}")], say(Text(GOOD)), Heard(GOOD)),
    "a list": ([Text(f"[{GOOD}]")], say(Text(GOOD)), Heard(GOOD)),
    "missing": ([Text('{"kind": "a"}')], say(Text(GOOD)), Heard(GOOD)),
    "extra": ([Text('{"x": 1, "y": 2}')], say(Text(GOOD)), Heard(GOOD)),
    "type": ([Text('{"x": "1"}')], say(Text(GOOD)), Heard(GOOD)),
    "enum": ([Text('{"x": 1, "kind": "c"}')], say(Text(GOOD)), Heard(GOOD)),
    "truncated": ([Text(GOOD[:-1])], say(Text(GOOD)), Heard(GOOD)),
    "no JSON": ([Text("No.")], say(Text(f"Well: {GOOD}")), Heard(GOOD)),
    "never": ([Text("No.")], say(Text("No!")), NOT_VALID),
    "never, by the schema": ([Text("{}")], say(Text("{}")), NOT_VALID),
    "a citation": ([Text(f"{GOOD}【1†source】")], None, Heard(GOOD)),
}


@EACH_STYLE
@pytest.mark.parametrize("row", JSON_ANSWERS)
@pytest.mark.parametrize("with_tools", [True, False], ids=["tools", "no tools"])
def test_json(row: str, style: Style, *, with_tools: bool) -> None:
    parts, again, expected = JSON_ANSWERS[row]
    wanted = JsonOptions(JsonFormat(POINT), Counters())
    calls = build_options().calls if with_tools else None
    options = OutputOptions(calls=calls, json_output=wanted, hides_citations=True)
    for places in cut_everywhere(parts):
        assert hear(write(parts, style, places), options, again=again) == expected, places


@EACH_STYLE
def test_calls_come_before_the_json(style: Style) -> None:
    """In one turn a call, in a later one the answer."""
    options = OutputOptions(
        calls=build_options().calls, json_output=JsonOptions(JsonFormat(POINT), Counters())
    )
    parts = [Text(f"I look. {CALL_A}")]
    for places in cut_everywhere(parts):
        heard = hear(write(parts, style, places), options)
        assert heard == Heard("I look. ", (GOT_A,), "tool_calls"), places


@pytest.mark.parametrize(("end", "finish"), [("intervene", "content_filter"), ("", None)])
def test_json_that_is_filtered_or_cut_is_told_by_its_reason(end: str, finish: str | None) -> None:
    options = OutputOptions(json_output=JsonOptions(JsonFormat(POINT), Counters()))
    for place in range(1, len(GOOD)):
        heard = hear(write([Text(GOOD[:place], status="")], DELTA, end=end), options)
        error = None if finish else CutAnswer.code
        assert heard == Heard(GOOD[:place] if finish else "", finish=finish, error=error), place


def test_json_beyond_the_limit_is_told_by_its_reason() -> None:
    options = OutputOptions(json_output=JsonOptions(JsonFormat(POINT), Counters()), max_tokens=3)
    for places in cut_everywhere([Text(GOOD)]):
        heard = hear(write([Text(GOOD)], DELTA, places), options)
        assert (heard.finish, GOOD.startswith(heard.text)) == ("length", True)
