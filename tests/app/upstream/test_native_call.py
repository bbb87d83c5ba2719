"""Native calls: told once, whole, in every style of the upstream; silent where nobody asked for them.

Protocol notes 0.2 row 9.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.core.errors import EmptyAnswer, UpstreamBusy
from app.core.event import ReasoningDelta, ReplyEvent, ReplyFinished, ReplyStarted, TextDelta, UpstreamCall
from app.upstream.frames import parse_frame
from app.upstream.held_bytes import HeldBytes
from app.upstream.merge import PartText
from app.upstream.native_call import NativeCalls
from app.upstream.reducer import Reducer

ARGUMENTS = '{"path": "a.txt", "lines": 3}'
READ = {"id": "tool-1", "name": "read_file"}
Style = tuple[str, bool | None]
STYLES = {"snapshot": ("snapshot", False), "delta": ("delta", True), "unflagged snapshot": ("snapshot", None),
          "unflagged delta": ("delta", None)}  # fmt: skip


def part(logic_id: str, item: dict[str, Any], status: str = "init", **more: Any) -> dict[str, Any]:
    return {"logic_id": logic_id, "role": "assistant", "content": [item], "status": status} | more


def call(arguments: object, status: str = "init", *, head: Any = READ, logic_id: str = "c") -> dict[str, Any]:
    item = {"type": "tool_calls", "tool_calls": head | {"arguments": arguments}}
    return part(logic_id, item, status, model="moe_53f", meta_data={"show_type": "mc_tool_call2"})


def grow(style: Style, *pieces: str, finishes: bool) -> list[dict[str, Any]]:
    """The call's parts as its arguments grow."""
    kind, _ = style
    texts = pieces if kind == "delta" else ["".join(pieces[: n + 1]) for n in range(len(pieces))]
    parts = [call(piece) for piece in texts]
    return [*parts, call("".join(pieces), "finish")] if finishes else parts


def executor(error: Any = None, *, head: Any = READ) -> dict[str, Any]:
    """How the site's own executor fails at a tool that is not its own."""
    item = {"type": "tool_result", "tool_calls": head | {"arguments": ARGUMENTS}}
    return part(
        "r",
        item,
        "error",
        role="tool",
        model="all-tools",
        error=error,
        meta_data={"show_type": "mc_tool_result"},
    )


def text(piece: str, status: str = "init") -> dict[str, Any]:
    return part("t", {"type": "text", "text": piece, "tool_calls": {}}, status)


def reduce(
    parts: Sequence[dict[str, Any]],
    *,
    increases: bool | None = True,
    reads_calls: bool = True,
    ends: bool = True,
) -> list[ReplyEvent]:
    reducer = Reducer(reads_calls=reads_calls)
    meta = None if increases is None else {"if_increase_push": increases}
    frames = [{"id": "b" * 24, "conversation_id": "a" * 24, "status": "init", "parts": [p], "meta_data": meta}
              for p in parts]  # fmt: skip
    if ends:
        frames.append(frames[-1] | {"status": "finish"})
    events: list[ReplyEvent] = []
    for frame in frames:
        events += reducer.reduce(parse_frame(json.dumps(frame).encode()))
    return [event for event in events if not isinstance(event, ReplyStarted)]


CALLED = UpstreamCall("read_file", ARGUMENTS)
FINISHED = ReplyFinished("stop")


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize(
    "pieces", [(ARGUMENTS,), ('{"path": ', '"a.txt", "li', 'nes": 3}'), tuple(ARGUMENTS)]
)
@pytest.mark.parametrize("finishes", [True, False])
def test_a_call_is_told_once_and_whole(style: Style, pieces: tuple[str, ...], *, finishes: bool) -> None:
    if style == ("delta", None) and not finishes and pieces == tuple(ARGUMENTS):
        pieces = (ARGUMENTS[:4], *ARGUMENTS[4:])  # of the first characters alone nobody knows the style
    parts = [*grow(style, *pieces, finishes=finishes), executor()]
    assert reduce(parts, increases=style[1]) == [CALLED, FINISHED]


def test_what_came_before_and_comes_after_is_in_order() -> None:
    parts = [text("Let me "), text("look."), call(ARGUMENTS), executor(), text(" Odd."), text("")]
    assert reduce(parts) == [TextDelta("Let me "), TextDelta("look."), CALLED, TextDelta(" Odd."), FINISHED]


def test_a_call_is_complete_when_anything_else_comes() -> None:
    assert reduce([call(ARGUMENTS), executor()], ends=False) == [CALLED]
    thought = part("k", {"type": "think", "think": "hm"})
    assert reduce([call(ARGUMENTS), thought], ends=False) == [CALLED, ReasoningDelta("hm")]
    assert reduce([call(ARGUMENTS)], ends=False) == []


def test_several_calls_are_told_together() -> None:
    second = call('{"path": "b"}', head={"id": "tool-2", "name": "read_file"}, logic_id="d")
    calls = [CALLED, UpstreamCall("read_file", '{"path": "b"}')]
    assert reduce([call(ARGUMENTS, "finish"), second, executor(), second, call(ARGUMENTS)]) == [
        *calls,
        FINISHED,
    ]


def test_calls_without_ids_are_known_by_their_part() -> None:
    head = {"name": "now"}
    parts = [call("{}", "finish", head=head), call("{}", "finish", head=head, logic_id="d")]
    assert reduce(parts) == [UpstreamCall("now", "{}"), UpstreamCall("now", "{}"), FINISHED]


@pytest.mark.parametrize("arguments", [{"path": "a"}, None, ""])
def test_arguments_of_another_shape(arguments: object) -> None:
    told = json.dumps(arguments) if isinstance(arguments, dict) else ""
    assert reduce([call(arguments)]) == [UpstreamCall("read_file", told), FINISHED]


@pytest.mark.parametrize("document", [{}, [], "x", None, {"name": 1}, {"name": " "}, {"name": "x" * 301}])
def test_what_is_no_call_is_silent(document: object) -> None:
    item = {"type": "tool_calls", "tool_calls": document}
    assert reduce([part("c", item), text("a")]) == [TextDelta("a"), FINISHED]


@pytest.mark.parametrize("error", [None, {}, {"code": 500, "message": "no such tool"}])
@pytest.mark.parametrize("reads_calls", [True, False])
def test_the_executor_never_fails_the_answer(error: object, *, reads_calls: bool) -> None:
    parts = [text("Hello."), call(ARGUMENTS, "finish"), executor(error)]
    told: list[ReplyEvent] = [CALLED] if reads_calls else []
    assert reduce(parts, reads_calls=reads_calls) == [TextDelta("Hello."), *told, FINISHED]


def test_other_parts_still_fail_it() -> None:
    busy = part("t", {"type": "text", "text": ""}, "error", error={"code": 1301, "message": "x"})
    with pytest.raises(UpstreamBusy):
        reduce([busy])


def test_without_tools_calls_vanish_and_an_answer_of_calls_is_empty() -> None:
    with pytest.raises(EmptyAnswer):
        reduce([call(ARGUMENTS), executor()], reads_calls=False)


def test_with_tools_an_empty_answer_is_for_others_to_judge() -> None:
    assert reduce([part("t", {"type": "text", "text": ""})]) == [FINISHED]


def test_the_number_of_calls_is_bounded() -> None:
    parts = [call("{}", logic_id=str(n), head={"name": "now"}) for n in range(200)]
    assert len(reduce(parts)) == 64 + 1


def test_arguments_of_any_depth_are_told_or_no_call() -> None:
    """What can be read may still be too deep to be written."""
    told = 0
    for depth in range(500, 1000):
        calls = NativeCalls(HeldBytes())
        document = b'{"name": "f", "arguments": {"a": %b%b}}' % (b"[" * depth, b"]" * depth)
        told += calls.add("place", document, PartText.feed_delta)
        assert len(calls.take()) <= 1
    assert 0 < told < 500
