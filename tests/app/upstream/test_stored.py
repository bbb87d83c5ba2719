"""A cut answer and what is stored of it: cut at every byte, all styles (protocol notes 0.2 row 6)."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import CutAnswer, GatewayError
from app.upstream.document import decode_document
from app.upstream.frames import parse_frame
from app.upstream.joint import Unjoinable
from app.upstream.reducer import Reducer
from app.upstream.sse import EventDecoder
from app.upstream.stored import build_rest
from tests.app.upstream import player
from tests.app.upstream.pipeline import Answer, Played, fold, name_kind
from tests.app.upstream.player import Block, Ending, Style
from tests.app.upstream.test_continuation import ANSWERS, STYLES, blocks, is_named, styles

ANSWER_ID = "6a5000000000000000000002"


def store(said: list[Block], **more: Any) -> dict[str, Any]:
    """What the upstream has of an answer, in the shape that two programs read."""
    frames = player.play_frames(said, cycle([player.FLAGGED_DELTA]), Ending())
    last = {part["logic_id"]: part for frame in frames for part in frame["parts"]}
    output = {"role": "assistant", "status": "finish", "parts": list(last.values())} | more
    asked = {"role": "user", "content": [{"type": "text", "text": "?"}]}
    return {
        "conversation_id": player.CONVERSATION_ID,
        "messages": [{"id": "m", "input": asked, "output": output}],
    }


def play_cut(data: bytes, cut: int, stored: Any) -> Played:
    """What becomes of `data` up to `cut`, and of what is stored."""
    reducer, events = Reducer(), []
    for document in EventDecoder().feed(data[:cut]):
        events += reducer.reduce(parse_frame(document))
    name, error = reducer.conversation_id, None
    if not reducer.finished:
        try:
            rest = build_rest(
                stored, reducer.interrupt(), conversation_id=name, answer_id=reducer.answer_id or ANSWER_ID
            )
            events += reducer.reduce(rest)
        except GatewayError as exc:
            error = name_kind(exc)
    return Played(tuple(events), error, name)


def heal(said: list[Block], style: Style, cut: int, stored: Any) -> Answer:
    return fold(
        play_cut(player.write_events(player.play_frames(said, cycle([style]), Ending())), cut, stored)
    )


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", ANSWERS)
def test_cut_at_every_byte(name: str, style: str) -> None:
    """Once it has a name, it comes whole, wherever it was cut."""
    said = ANSWERS[name]
    text, reasoning = player.said(said, "text"), player.said(said, "think")
    data = player.write_events(player.play_frames(said, cycle([STYLES[style]]), Ending()))
    healed: dict[int, Answer] = {}  # by the whole events before the cut: half of one says nothing
    for cut in range(data.index(b"\n\n") + 2, len(data)):
        count = data.count(b"\n\n", 0, cut)
        if count not in healed or data.endswith(b"\n\n", 0, cut):
            healed[count] = heal(said, STYLES[style], cut, store(said))
        assert healed[count] == Answer(player.CONVERSATION_ID, text, reasoning, "stop", None), cut


@settings(max_examples=300)
@given(blocks, blocks, styles, st.booleans(), st.data())
def test_nothing_is_doubled_or_lost(
    said: list[Block], others: list[Block], style: Style, is_same: bool, data: st.DataObject
) -> None:
    """Another answer may be stored: then what was said stands at its beginning, or it is cut."""
    size = len(player.write_events(player.play_frames(said, cycle([style]), Ending())))
    kept = said if is_same else others
    answer = heal(said, style, data.draw(st.integers(0, size)), store(kept))
    whole = [said] if is_same else [said, kept]
    if answer.error is None:
        assert (answer.text, answer.reasoning) in [
            (player.said(each, "text"), player.said(each, "think")) for each in whole
        ]
    else:
        assert answer.error == "cut"
        assert not (is_same and is_named(answer)), "what is stored says all of it"
        assert player.said(said, "text").startswith(answer.text)
        assert player.said(said, "think").startswith(answer.reasoning)


SAID = [Block("think", ("Let me see.",)), Block("text", ("A text", " of some", " length."))]
HALF = player.write_events(player.play_frames(SAID, cycle([player.FLAGGED_DELTA]), Ending())[:5])


def change(**more: Any) -> dict[str, Any]:
    return store(SAID, **more)


def with_part(number: int, **more: Any) -> dict[str, Any]:
    stored = deepcopy(store(SAID))
    stored["messages"][0]["output"]["parts"][number] |= more
    return stored


def with_text(number: int, text: str, kind: str = "text") -> dict[str, Any]:
    return with_part(number, content=[{"type": kind, kind: text}])


def two_messages(first: str, second: str) -> dict[str, Any]:
    stored = store(SAID)
    (message,) = stored["messages"]
    return stored | {"messages": [message | {"id": first}, message | {"id": second}]}


UNEXPECTED: dict[str, Any] = {
    "nothing": None,
    "no object": [],
    "no messages": {"messages": []},
    "messages that are none": {"messages": [None]},
    "messages that are no list": {"messages": "x"},
    "no output": {"messages": [{"id": "m"}]},
    "another conversation": store(SAID) | {"conversation_id": "d" * 24},
    "two messages, and neither is it": two_messages("m", "n"),
    "two messages of one name": two_messages(ANSWER_ID, ANSWER_ID),
    "it is being made": change(status="init"),
    "it does not say that it is finished": change(status=None),
    "it was filtered": change(status="intervene"),
    "it failed": change(last_error={"code": 10025, "message": "internal"}),
    "no parts": change(parts=None),
    "no part": change(parts=[]),
    "parts that are none": change(parts=[7, "x", None]),
    "a part that is being made": with_part(1, status="init"),
    "a part in error": with_part(1, error={"code": 1}),
    "another thought": with_text(0, "Let me think.", "think"),
    "a longer thought": with_text(0, "Let me see. Well.", "think"),
    "another text": with_text(1, "A text of another length."),
    "less text": with_text(1, "A te"),
    "a text of another kind": with_text(1, "A text of some length.", "code"),
    "a picture": with_part(1, content=[{"type": "image", "image": [{"image_url": "https://x/1.png"}]}]),
    "two texts in a part": with_part(1, content=[{"type": "text", "text": "A text of some"}] * 2),
}


@pytest.mark.parametrize("unexpected", UNEXPECTED.values(), ids=UNEXPECTED)
def test_what_is_unexpected_adds_nothing(unexpected: Any) -> None:
    played = play_cut(HALF, len(HALF), json.loads(json.dumps(unexpected)))
    assert (fold(played).text, fold(played).reasoning) == ("A text of some", "Let me see.")
    assert played.error == "cut"


@pytest.mark.parametrize("names", [(ANSWER_ID, "n"), ("m", ANSWER_ID)])
def test_it_is_found_by_its_id(names: tuple[str, str]) -> None:
    stored, reducer = two_messages(*names), Reducer()
    index = names.index(ANSWER_ID)
    stored["messages"][1 - index] = {"id": "other", "output": {"status": "finish", "parts": []}}
    for document in EventDecoder().feed(HALF):
        reducer.reduce(parse_frame(document))
    reducer.answer_id = ANSWER_ID
    rest = build_rest(
        stored, reducer.interrupt(), conversation_id=player.CONVERSATION_ID, answer_id=ANSWER_ID
    )
    assert [getattr(event, "text", "") for event in reducer.reduce(rest)] == [" length.", ""]


def test_searches_between_the_texts_say_nothing_themselves() -> None:
    call = {
        "logic_id": "c",
        "status": "finish",
        "content": [{"type": "tool_calls", "tool_calls": {"name": "finish"}}],
    }
    stored = store(SAID)
    stored["messages"][0]["output"]["parts"].insert(1, call)
    assert fold(play_cut(HALF, len(HALF), stored)).text == "A text of some length."


# What a surrogate pair may be cut into. The last letters are those of a finished text.
HALVED = {
    "a half alone": [Block("text", ("Look \ud83d", " there", " it is."))],
    "the other half alone": [Block("text", ("Look \ude00", " there", " it is."))],
    "halves in both": [
        Block("think", ("So \ud83d", " then.")),
        Block("text", ("Look", " \ude00 there", ".")),
    ],
    "a pair in two pieces": [Block("text", ("Look \ud83d", "\ude00 there", " it is"))],
    "a half at the end": [Block("text", ("Look there", " it is \ud83d"))],
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", HALVED)
def test_half_a_pair_is_read_as_in_a_stream(name: str, style: str) -> None:
    """Wherever it is cut: the stored document says U+FFFD where the stream may have said the half itself."""
    said = HALVED[name]
    text, reasoning = (read_as_browsers(player.said(said, kind)) for kind in ("text", "think"))
    frames = player.play_frames(said, cycle([STYLES[style]]), Ending())
    data = player.write_events(frames, is_ascii=True)
    stored = decode_document(json.dumps(store(said)).encode())
    for count in range(1, len(frames)):
        cut = len(player.write_events(frames[:count], is_ascii=True))
        healed = fold(play_cut(data, cut, stored))
        assert (healed.reasoning, healed.finish, healed.error) == (reasoning, "stop", None), count
        # A stream that ends in half a pair does not say it, as nothing comes behind it.
        assert healed.text.removesuffix("\ufffd") == text.removesuffix("\ufffd"), count


def read_as_browsers(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def test_it_is_an_answer_that_was_cut() -> None:
    assert issubclass(Unjoinable, CutAnswer)
