"""Texts for regular expressions: what is written matches, and what is not read is said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upstream_emulator.filling_pattern import write_match


@pytest.mark.parametrize(
    "pattern", ["^(?!x)y$", "(?<=a)b", "(a)\\1", "\\p{L}+", "(a", "[a", "*", "(a{9999}){9999}", "(" * 5_000]
)
def test_patterns_that_are_not_read(pattern: str) -> None:
    assert write_match(pattern) is None


PIECES = st.sampled_from(
    [
        "a",
        "\\.",
        "\\d",
        "\\w",
        "\\s",
        "\\x41",
        "\\u4e2d",
        ".",
        "[a-f]",
        "[^a-z]",
        "[^\\w@]",
        "[\\d_]",
        "中",
        "\\\\",
    ]
)
COUNTS = st.sampled_from(["", "?", "*", "+", "{2}", "{1,}", "{0,3}", "+?"])
PATTERNS = st.recursive(
    st.tuples(PIECES, COUNTS).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(
            st.sampled_from(["(", "(?:", "(?P<n>"]),
            st.lists(inner, min_size=1, max_size=3).map("|".join),
            COUNTS,
        ).map(lambda made: f"{made[0]}{made[1]}){made[2]}"),
    ),
    max_leaves=6,
).filter(lambda pattern: pattern.count("?P<n>") < 2)


@settings(max_examples=300)
@given(PATTERNS, st.integers(0, 20))
def test_what_is_written_matches(pattern: str, min_chars: int) -> None:
    written = write_match(f"^{pattern}$", min_chars)
    assert written is not None
    assert re.fullmatch(pattern, written)
