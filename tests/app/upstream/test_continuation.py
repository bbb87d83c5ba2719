"""A cut answer and what follows: cut at every byte, both behaviours, all styles (protocol notes 0.2 row 5).

It must come out whole, or stay cut where nobody can tell; never with a character too many or too few.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import GatewayError
from app.upstream.continuation import Continuation
from app.upstream.frames import parse_frame
from app.upstream.reducer import Reducer
from app.upstream.sse import EventDecoder
from tests.app.upstream import player
from tests.app.upstream.pipeline import Answer, Played, fold, name_kind
from tests.app.upstream.player import Block, Ending, Style
from upstream_emulator.continuation import BEHAVIOURS, continue_frames

STYLES = {
    "snapshot": player.SNAPSHOT,
    "unflagged snapshot": player.UNFLAGGED_SNAPSHOT,
    "2024": player.SNAPSHOT_2024,
    "delta": player.FLAGGED_DELTA,
    "unflagged delta": player.UNFLAGGED_DELTA,
}
THOUGHT = Block(
    "think", tuple("我先想一想，这个问题该从哪里说起才清楚：先说山在哪里，再说它有多高，最后说天气。")
)
TEXT = Block(
    "text",
    (
        "布罗肯山是哈茨山的最高峰",
        "，在德国中部，山顶光秃，",
        "海拔",
        " 1141 ",
        "米",
        "，",
        "，",
        "常年",
        "多雾。",
    ),
)
SECOND = Block("text", ("山顶有", "气象站。"))
ANSWERS = {"text": [TEXT], "thought": [THOUGHT, TEXT], "parts": [THOUGHT, TEXT, SECOND]}

behaviours = st.sampled_from(BEHAVIOURS)
styles = st.sampled_from(list(STYLES.values()))
repeating = st.text(alphabet="哈a", min_size=1, max_size=3)
pieces = st.lists(repeating, min_size=1, max_size=10).map(tuple)
blocks = st.lists(st.builds(Block, st.sampled_from(["text", "think"]), pieces), min_size=1, max_size=3)


def play_cut(data: bytes, cut: int, go_on: Any) -> Played:
    """What becomes of `data` up to `cut`, and of what `go_on` gives for the number of its whole frames."""
    reducer = Reducer()
    events = []
    decoder = EventDecoder()
    documents = decoder.feed(data[:cut])
    for document in documents:
        events += reducer.reduce(parse_frame(document))
    if reducer.finished:
        return Played(tuple(events), None, reducer.conversation_id)
    continuation = Continuation(
        reducer.conversation_id, reducer.interrupt(), is_lossy=not decoder.finish(), held=reducer.held
    )
    error = None
    try:
        for document in EventDecoder().feed(go_on(len(documents))):
            if not reducer.finished:
                events += reducer.reduce(continuation.join(parse_frame(document)))
    except GatewayError as exc:
        error = name_kind(exc)
    if error is None and not reducer.finished:
        error = "cut"
    return Played(tuple(events), error, reducer.conversation_id)


def heal(said: Iterable[Block], style: Style, cut: int, behaviour: str, *, new_ids: bool) -> Answer:
    frames = player.play_frames(list(said), cycle([style]), Ending())
    data = player.write_events(frames)

    def go_on(at: int) -> bytes:
        left = continue_frames(frames, at, behaviour, new_ids=new_ids, deltas=style.is_delta)
        return player.write_events(left)

    return fold(play_cut(data, cut, go_on))


def is_named(answer: Answer) -> bool:
    """Before the first whole frame nobody knows what to go on with."""
    return answer.conversation_id is not None


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("new_ids", [False, True])
@pytest.mark.parametrize("name", ANSWERS)
def test_cut_at_every_byte(name: str, style: str, behaviour: str, *, new_ids: bool) -> None:
    said = ANSWERS[name]
    frames = player.play_frames(said, cycle([STYLES[style]]), Ending())
    data = player.write_events(frames)
    begins = data.index(b"\n\n") + 2
    whole = Answer(
        player.CONVERSATION_ID, player.said(said, "text"), player.said(said, "think"), "stop", None
    )
    healed = 0
    answers: dict[tuple[int, bool], Answer] = {}
    frame, ends = 1, data.index(b"\n\n") + 2
    for cut in range(begins, len(data)):
        if cut == ends + data[ends:].index(b"\n\n") + 2:
            frame, ends = frame + 1, cut
        place = (frame, cut == ends)  # all cuts within an event are alike
        if place not in answers:
            answers[place] = heal(said, STYLES[style], cut, behaviour, new_ids=new_ids)
        answer = answers[place]
        assert answer == whole or answer.error == "cut", (cut, answer)
        assert whole.text.startswith(answer.text)
        assert whole.reasoning.startswith(answer.reasoning)
        healed += answer == whole
    if behaviour == "repeat":
        assert healed * 3 > len(data) - begins, "too much is left cut"
        assert new_ids or healed * 10 > 9 * (len(data) - begins)


@settings(max_examples=200)
@given(blocks, styles, behaviours, st.booleans(), st.data())
def test_nothing_is_doubled_or_lost(
    said: list[Block], style: Style, behaviour: str, new_ids: bool, data: st.DataObject
) -> None:
    """Texts that repeat themselves, which many readings fit."""
    frames = player.play_frames(said, cycle([style]), Ending())
    size = len(player.write_events(frames))
    answer = heal(said, style, data.draw(st.integers(0, size)), behaviour, new_ids=new_ids)
    text, reasoning = player.said(said, "text"), player.said(said, "think")
    if answer.error is None:
        assert (answer.text, answer.reasoning) == (text, reasoning)
    else:
        assert answer.error == "cut"
        assert text.startswith(answer.text)
        assert reasoning.startswith(answer.reasoning)


def frame(logic_id: str, text: str, status: str = "init", **more: Any) -> bytes:
    part = {"logic_id": logic_id, "status": status, "content": [{"type": "text", "text": text}]}
    ends = "finish" if status == "finish" else "init"
    whole = {"id": "b", "conversation_id": "c" * 24, "status": ends, "parts": [part]} | more
    return f"data: {json.dumps(whole)}\n\n".encode()


SAID = frame("one", "A text that is long enough not to come again")
UNEXPECTED = {
    "another conversation": frame("one", "x", conversation_id="d" * 24),
    "another text of the same part": frame("one", "A text that is short", "finish"),
    "nearly the same text": frame("two", "A text that is long enough not to come twice"),
    "a part without a name": frame("", " characters"),
    "an error": frame("one", "", last_error={"code": 1301, "message": "busy"}),
    "nothing": b"",
    "no JSON": b"data: oops\n\n",
}


@pytest.mark.parametrize("unexpected", UNEXPECTED.values(), ids=UNEXPECTED)
def test_what_is_unexpected_adds_nothing(unexpected: bytes) -> None:
    played = play_cut(SAID, len(SAID), lambda at: unexpected)
    assert fold(played).text == "A text that is long enough not to come again"
    assert played.error is not None


@pytest.mark.parametrize("count", [200, 400])
def test_a_long_repetition_costs_its_length(count: int) -> None:
    """Every piece of it is compared once."""
    flag: dict[str, Any] = {"meta_data": {"if_increase_push": True}}
    pieces = [f"piece {number}, " for number in range(count)]
    said = b"".join(frame("one", piece, **flag) for piece in pieces)
    again = b"".join(frame("two", piece, **flag) for piece in pieces)
    end = frame("two", "".join(pieces) + "end", "finish", **flag)
    answer = fold(play_cut(said, len(said), lambda at: again + end))
    assert (answer.text, answer.error) == ("".join(pieces) + "end", None)
