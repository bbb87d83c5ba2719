"""Names that somebody made up, as people and programs get them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.listing import MAX_NAME_CHARS, Assistant, clean_name, fold_name
from app.core.model_name import find_assistant_id

ID = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("写作助手", "写作助手"),
        ("  a \t b\u3000c ", "a b c"),
        ("两\r\nX: 1\x00\x1b[31m行\u202e", "两 X: 1[31m行"),
        ("a/b,c;d\\e", "a b c d e"),
        ("\u200b\ufeff\ue000\ud800", ""),
        ("é", "\u00e9"),
        ("长" * 500, "长" * MAX_NAME_CHARS),
        ("\0" * 199 + "ab", "a"),
    ],
)
def test_cleaning(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@given(st.text(max_size=200))
def test_every_name_can_be_shown_sent_and_asked(name: str) -> None:
    """In a path, in a list with commas, on one line; and the id is found again."""
    cleaned = clean_name(name)
    assert cleaned.isprintable()
    assert not set(cleaned) & set("/,;\\")
    assert cleaned == cleaned.strip()
    assert clean_name(cleaned) == cleaned
    assert find_assistant_id(Assistant(ID, cleaned).model) == ID


def test_spellings_of_one_name_are_one() -> None:
    assert len({fold_name(name) for name in ("Ａ助手", "a助手", " A助手 ", "A助手\u200b")}) == 1


def test_a_name_that_would_switch_something_is_left_out() -> None:
    """`-silent` asks for the answer alone."""
    assert Assistant(ID, "x-silent").model == ID
    assert Assistant(ID, "").model == ID
    assert Assistant(ID, "写作助手").model == f"写作助手-{ID}"
