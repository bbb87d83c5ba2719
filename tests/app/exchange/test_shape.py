"""The stages of an answer: stop sequences, its length, thinking in tags or hidden."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.mode import choose_mode, choose_shape
from app.core.request import Question, ReasoningDisplay, TextPart, Turn
from app.core.usage import TokenEstimate, estimate_tokens
from app.errors import EmptyAnswer
from app.exchange.shape import Shape, Stage
from app.formats.openai_chat.question import build_question
from app.formats.openai_chat.request import parse_chat_request
from app.reply import (
    CitedText,
    ImageAdded,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    TextDelta,
    ThoughtText,
)

STOPPED = ReplyFinished("stop")
LINK = CitedText("[1](http://a.b)", "http://a.b", "a")
PICTURE = ImageAdded("\n\n![image](http://a.b)", "http://a.b")


def apply(
    shape: Shape, batches: list[list[ReplyEvent]], hidden: TokenEstimate | None = None
) -> list[ReplyEvent]:
    """Everything that comes out, as a reply reads it: nothing is fed after the end."""
    stages: list[Stage] = list(shape.build_stages(hidden or TokenEstimate()))
    passed: list[ReplyEvent] = []
    for events in batches:
        for stage in stages:
            events = stage.apply(events)  # noqa: PLW2901 - as the reply does it
        passed.extend(events)
        if events and isinstance(events[-1], ReplyFinished):
            break
    return passed


def say(*pieces: str) -> list[list[ReplyEvent]]:
    batches: list[list[ReplyEvent]] = [[TextDelta(piece)] for piece in pieces]
    return [*batches, [STOPPED]]


def read(events: list[ReplyEvent]) -> tuple[str, str]:
    """The text, and how it ended."""
    end = events[-1]
    assert isinstance(end, ReplyFinished)
    texts = (TextDelta, CitedText, ImageAdded, ThoughtText)
    return "".join(event.text for event in events if isinstance(event, texts)), end.reason


@pytest.mark.parametrize(
    ("stop", "pieces", "text"),
    [
        (["END"], ["abcEN", "Dxyz"], "abc"),
        (["END"], ["a", "E", "N", "Q"], "aENQ"),
        (["END"], ["END"], ""),
        (["END"], ["EE", "END"], "EE"),
        (["END"], ["abcEN"], "abcEN"),
        (["b", "abc"], ["xabc"], "xa"),
        (["bc", "abcd"], ["xab", "cd"], "xa"),
        (["\n\n"], ["a\n", "b\n", "\nc"], "a\nb"),
        (["。"], ["你好。", "再见"], "你好"),
        (["aab"], ["aaaab"], "aa"),
        (["never"], ["a", "b"], "ab"),
    ],
)
def test_stop_sequences(stop: list[str], pieces: list[str], text: str) -> None:
    assert read(apply(Shape(stop=tuple(stop)), say(*pieces))) == (text, "stop")


short = st.text(alphabet="ab。", max_size=12)


@given(st.lists(short, max_size=6), st.lists(short.filter(bool), min_size=1, max_size=4))
def test_no_part_of_a_stop_sequence_is_ever_shown(pieces: list[str], stop: list[str]) -> None:
    whole = "".join(pieces)
    ends = [(n, s) for n in range(len(whole) + 1) for s in stop if whole[:n].endswith(s)]
    end, sequence = min(ends, key=lambda found: (found[0], -len(found[1])), default=(len(whole), ""))
    events = apply(Shape(stop=tuple(stop)), say(*filter(None, pieces)))
    assert read(events)[0] == whole[: end - len(sequence)]


@given(short, st.lists(short.filter(bool), min_size=1, max_size=4))
def test_only_what_may_begin_a_sequence_waits(text: str, stop: list[str]) -> None:
    if any(sequence in text for sequence in stop):
        return
    events = apply(Shape(stop=tuple(stop)), [[TextDelta(text)]] if text else [])
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    held = text.removeprefix(shown)
    assert shown + held == text
    assert not held or any(sequence.startswith(held) for sequence in stop)
    longer = range(len(held) + 1, len(text) + 1)
    assert not any(sequence.startswith(text[len(text) - n :]) for n in longer for sequence in stop)


def test_a_link_is_shown_as_a_whole_or_as_text() -> None:
    batches: list[list[ReplyEvent]] = [[TextDelta("a"), LINK, TextDelta("b")], [STOPPED]]
    assert apply(Shape(stop=("zz",)), batches) == [TextDelta("a"), LINK, TextDelta("b"), STOPPED]
    assert apply(Shape(stop=(")bc",)), batches) == [TextDelta("a"), LINK, TextDelta("b"), STOPPED]
    assert apply(Shape(stop=("](",)), batches) == [TextDelta("a"), TextDelta("[1"), STOPPED]
    assert apply(Shape(stop=("a[",)), batches) == [STOPPED]


def test_thinking_is_not_searched_for_stop_sequences() -> None:
    events = apply(Shape(stop=("b",)), [[ReasoningDelta("abc")], [TextDelta("xbx")]])
    assert events == [ReasoningDelta("abc"), TextDelta("x"), STOPPED]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 13, 100])
@pytest.mark.parametrize("size", [1, 3, 50])
def test_an_answer_is_cut_at_its_length(limit: int, size: int) -> None:
    whole = "春天的早晨，sunlight on the lake. " * 4
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    text, reason = read(apply(Shape(most_tokens=limit), say(*pieces)))
    assert whole.startswith(text)
    assert estimate_tokens(text) <= limit
    is_cut = estimate_tokens(whole) > limit
    assert reason == ("length" if is_cut else "stop")
    assert not is_cut or estimate_tokens(whole[: len(text) + 1]) > limit


def test_thinking_counts_for_the_length() -> None:
    thought = ReasoningDelta("想" * 50)
    shown = apply(Shape(most_tokens=10), [[thought], [TextDelta("好")], [STOPPED]])
    assert isinstance(shown[0], ReasoningDelta)
    assert 0 < len(shown[0].text) < 50
    assert shown[1:] == [ReplyFinished("length")]
    hidden = TokenEstimate()
    shape = Shape(reasoning="hidden", most_tokens=10)
    assert apply(shape, [[thought], [TextDelta("好")]], hidden) == [ReplyFinished("length")]
    assert hidden.tokens > 10


@pytest.mark.parametrize("event", [LINK, PICTURE])
def test_half_a_link_is_nothing(event: CitedText | ImageAdded) -> None:
    events = apply(Shape(most_tokens=3), [[TextDelta("a"), event], [STOPPED]])
    assert events == [TextDelta("a"), ReplyFinished("length")]


def test_a_length_that_is_just_reached_is_no_cut() -> None:
    text = "hello world"
    assert read(apply(Shape(most_tokens=estimate_tokens(text)), say(text))) == (text, "stop")


def test_thinking_in_tags() -> None:
    batches: list[list[ReplyEvent]] = [
        [ReplyStarted("c"), ReasoningDelta("一")],
        [ReasoningDelta("二"), TextDelta("甲")],
        [TextDelta("乙"), ReasoningDelta("\n\n三")],
        [TextDelta("\n\n丙"), LINK, ReasoningDelta("四")],
        [PICTURE, ReasoningDelta("五")],
        [STOPPED],
    ]
    assert read(apply(Shape(reasoning="tags"), batches)) == (
        "<think>\n一二\n</think>\n\n甲乙\n\n<think>\n三\n</think>\n\n丙[1](http://a.b)"
        "\n\n<think>\n四\n</think>\n\n\n\n![image](http://a.b)\n\n<think>\n五\n</think>",
        "stop",
    )


def test_a_link_after_thinking_is_parted_once() -> None:
    batches: list[list[ReplyEvent]] = [[ReasoningDelta("一"), TextDelta("\n\n"), LINK, STOPPED]]
    assert read(apply(Shape(reasoning="tags"), batches))[0] == "<think>\n一\n</think>\n\n[1](http://a.b)"


def test_hidden_thinking_is_counted() -> None:
    hidden = TokenEstimate()
    batches: list[list[ReplyEvent]] = [[ReasoningDelta("想想")], [TextDelta("好"), STOPPED]]
    assert apply(Shape(reasoning="hidden"), batches, hidden) == [TextDelta("好"), STOPPED]
    assert hidden.tokens == estimate_tokens("想想")


@pytest.mark.parametrize("stop", [(), ("x",)])
def test_hidden_thinking_alone_is_no_answer(stop: tuple[str, ...]) -> None:
    with pytest.raises(EmptyAnswer):
        apply(Shape(reasoning="hidden", stop=stop), [[ReasoningDelta("想")], [STOPPED]])
    filtered = ReplyFinished("content_filter")
    assert apply(Shape(reasoning="hidden"), [[ReasoningDelta("想")], [filtered]]) == [filtered]


def test_a_stop_sequence_at_the_very_beginning_is_an_answer() -> None:
    shape = Shape(reasoning="hidden", stop=("x",))
    assert apply(shape, [[ReasoningDelta("想")], [TextDelta("xy")]]) == [STOPPED]


def test_citations_are_left_out() -> None:
    batches: list[list[ReplyEvent]] = [[TextDelta("a"), LINK, TextDelta("b"), STOPPED]]
    assert read(apply(Shape(hides_citations=True), batches))[0] == "ab"


@pytest.mark.parametrize(
    ("field", "model", "default", "expected"),
    [
        ("null", "glm", "content", "content"),
        ("null", "glm", "tags", "tags"),
        ("null", "glm-think-silent", "tags", "hidden"),
        ('"content"', "glm-SILENT-search", "hidden", "content"),
        ('"tags"', "glm", "hidden", "tags"),
        ('"hidden"', "glm", "content", "hidden"),
        ("null", "silent", "content", "content"),
    ],
)
def test_who_decides_about_thinking(
    field: str, model: str, default: ReasoningDisplay, expected: ReasoningDisplay
) -> None:
    body = f'{{"model":"{model}","reasoning":{field},"messages":[{{"role":"user","content":"x"}}]}}'
    question = build_question(parse_chat_request(body.encode()))
    assert choose_shape(question, choose_mode(question), default).reasoning == expected


def test_an_ordinary_request_passes_no_stage() -> None:
    question = Question((Turn("user", (TextPart("x"),)),), "glm")
    assert list(choose_shape(question, choose_mode(question), "content").build_stages(TokenEstimate())) == []
