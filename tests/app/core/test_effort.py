"""The words for how much is thought."""

from __future__ import annotations

from typing import get_args

import pytest

from app.core.effort import DEPTHS, Effort, read_effort, read_switch


def test_every_word_has_its_depth() -> None:
    assert tuple(DEPTHS) == get_args(Effort)


@pytest.mark.parametrize("word", get_args(Effort))
def test_a_word_is_known_in_any_case(word: Effort) -> None:
    assert read_effort(word) == read_effort(f" {word.upper()} ") == word


@pytest.mark.parametrize("word", ["", "auto", "enabled", "huge", "lo"])
def test_other_words_are_nobodys(word: str) -> None:
    assert read_effort(word) is None


def test_a_switch_thinks_or_does_not() -> None:
    assert DEPTHS[read_switch(is_on=True)] == "thinking"
    assert DEPTHS[read_switch(is_on=False)] == ""
