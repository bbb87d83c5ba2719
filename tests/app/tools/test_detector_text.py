"""Text stays live: nothing is held that cannot begin a call, and what is no call comes out to the byte."""

from __future__ import annotations

import json
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools.detector import TextOut
from app.tools.json_text import encode_json
from app.tools.opener import FENCE_LABELS
from tests.app.tools.detecting import CLOSER, DIALECT, Answer, detect, join_text, make_detector, opener

PIECES = [
    *"<>`{}[]\"'\\ \n\tax", "```", "```json\n", "~~~\n", "<call-", "<call-k3x", "<call-zzzz ", "</call-k3x9>",
    "<tool_call", "tool_call>", '{"function_', '{ "function_call"', "</tool_call>", "<arg_key>",
    "你好", "é", "🙂",
]  # fmt: skip
TRICKY = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=40).map("".join)
WHOLE_OPENER = re.compile(r'<call-k3x9[\s/>]|<tool_call>|\{\s*"function_call"\s*:')

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MARKS = st.sampled_from(
    [CLOSER, opener("now"), "<tool_call>", "```json\n", '"}', "\\", "\n{", "</arg_value>"]
)


def may_begin_a_call(held: str) -> bool:
    """Said anew here, not taken from what is tested."""
    compact = "".join(held.split())
    label = re.fullmatch(r"`{1,}[ \t]*([a-z_]*)[ \t]*(?:\n\s*(.*))?", held, re.DOTALL)
    if label is not None and held.startswith("`"):
        named = any(each.startswith(label[1]) for each in FENCE_LABELS)
        return named and (not label[2] or may_begin_a_call(label[2]))
    openers = ("<call-k3x9", "<tool_call>")
    return any(each.startswith(held) for each in openers) or '{"function_call":'.startswith(compact)


def cut(text: str, seed: int) -> list[str]:
    places = sorted(Random(seed).choices(range(len(text) + 1), k=5))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@given(TRICKY, st.integers(0, 99))
def test_text_without_an_opener_comes_out_to_the_byte(text: str, seed: int) -> None:
    if WHOLE_OPENER.search(text):
        text = WHOLE_OPENER.sub("", text)
    if not WHOLE_OPENER.search(text):
        assert detect(cut(text, seed)) == Answer(text)


@given(TRICKY)
def test_only_what_may_begin_a_call_is_held(text: str) -> None:
    if WHOLE_OPENER.search(text):
        return
    detector, shown = make_detector(), ""
    for place, character in enumerate(text):
        shown += join_text(detector.feed(character))
        held = text[len(shown) : place + 1]
        assert not held or may_begin_a_call(held), (shown, held)


@given(st.lists(st.text(st.characters(exclude_characters="<{`"), min_size=1), max_size=20))
def test_ordinary_deltas_pass_one_for_one(pieces: list[str]) -> None:
    detector = make_detector()
    assert [detector.feed(piece) for piece in pieces] == [[TextOut(piece)] for piece in pieces]


@pytest.mark.parametrize(
    "pieces",
    [
        ["if a < b", " and c <= d: ", "x = {1: `y`}", "\n", "<div>", "</div>\n", "{a}", " `inline` ", "end"],
        ["Code:\n", "```python\n", "print({1})\n", "if a <b>:\n", "```", "\n", "Done {", "}", "{"],
        ['{"a": 1}', "\n", "[", "]", "x``", "``", "<a", "<b", "</tool_call>", "\n{x"],
        ["```c++", "\n", "`a`", "\n{", '"function_call":', "\n", "```", "\n", "text"],
    ],
)
def test_deltas_pass_one_for_one_where_nothing_begins(pieces: list[str]) -> None:
    detector = make_detector()
    assert [detector.feed(piece) for piece in pieces] == [[TextOut(piece)] for piece in pieces]


def test_a_fence_that_holds_no_call_is_shown_at_once() -> None:
    detector = make_detector()
    assert detector.feed("```\n``") == [TextOut("```\n``")]
    assert detector.feed("<call-k3x9a") == [TextOut("<call-k3x9a")]


def test_what_is_held_comes_with_the_next_delta() -> None:
    detector = make_detector()
    assert detector.feed("a <call") == [TextOut("a ")]
    assert detector.feed("ing") == [TextOut("<calling")]
    assert detector.feed("\n``") == [TextOut("\n")]
    assert detector.feed("`js") == []
    assert detector.feed("x\n{") == [TextOut("```jsx\n{")]
    assert detector.feed("}\n```\n\n{") == [TextOut("}\n```\n\n")]
    assert detector.feed(" }") == [TextOut("{ }")]


@given(st.dictionaries(st.text(max_size=6) | MARKS, JSON | MARKS, max_size=4), TRICKY, st.integers(0, 99))
def test_what_is_written_is_read(arguments: dict[str, object], before: str, seed: int) -> None:
    if WHOLE_OPENER.search(before) or before.rstrip().endswith("`"):
        before = ""
    call = DIALECT.write_call("now", encode_json(arguments))
    answer = detect(cut(before + call, seed))
    assert [name for name, _ in answer.calls] == ["now"]
    assert json.loads(answer.calls[0][1]) == arguments
    assert before.startswith(answer.text)  # but for a fence that holds the call alone
    assert answer.text == before or "```" in before


@given(TRICKY, st.integers(0, 99))
def test_any_answer_gives_the_same_however_it_is_cut(tail: str, seed: int) -> None:
    rng = Random(seed)
    for head in (
        f"{opener('read_file')}{{",
        opener("now"),
        "<tool_call>now",
        '{"function_call":{"name":"now"',
        "```\n<call-k3x9",
    ):
        said = f"x\n{head}{tail}"
        whole = detect([said])
        assert detect(list(said)) == whole
        assert detect(cut(said, rng.randrange(1_000))) == whole
