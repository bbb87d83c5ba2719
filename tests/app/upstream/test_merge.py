"""One part's text from its frames: the tables of the protocol notes 4.5, call by call."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.upstream.merge import PartText

Step = tuple[str, str, str]  # method, what the frame holds, what is new

HOLD = "0123456789abcdef"  # long enough to be certain

CASES: dict[str, list[Step]] = {
    "deltas that repeat": [("delta", "哈", "哈"), ("delta", "哈", "哈"), ("full", "哈哈", "")],
    "snapshots": [
        ("snapshot", "a", "a"), ("snapshot", "ab", "b"), ("snapshot", "ab", ""), ("full", "abc", "c"),
    ],
    "a snapshot that shrinks": [("snapshot", "abc", "abc"), ("snapshot", "a", ""), ("snapshot", "abcd", "d")],
    "a snapshot that was rewritten": [("snapshot", "abc", "abc"), ("snapshot", "xyzw", "w")],
    "a final text that differs": [("delta", "abc", "abc"), ("full", "abX and more", "")],
    "a final text that is shorter": [("delta", "abc", "abc"), ("full", "ab", "")],
    "only a final text": [("full", "abc", "abc"), ("full", "abc", "")],
    "an empty final text": [("full", "", "")],
    "deltas, then a snapshot": [("delta", "a", "a"), ("delta", "b", "b"), ("snapshot", "abc", "c")],
    "a snapshot, then deltas": [("snapshot", "ab", "ab"), ("delta", "ab", "ab"), ("full", "abab", "")],
    "unknown, plainly deltas": [("unknown", "a", "a"), ("unknown", "b", "b"), ("unknown", "b", "b")],
    "unknown, it repeats at first": [("unknown", "哈", "哈"), ("unknown", "哈", ""), ("unknown", "x", "哈x")],
    "unknown, certain snapshots": [
        ("unknown", HOLD, HOLD), ("unknown", HOLD + "g", "g"), ("unknown", HOLD + "gh", "h"),
    ],
    "unknown, told by a flagged delta": [("unknown", "a", "a"), ("unknown", "ab", ""), ("delta", "c", "bc")],
    "unknown, decided by a flagged snapshot": [
        ("unknown", "a", "a"), ("unknown", "ab", ""), ("snapshot", "abc", "bc"),
    ],
    "unknown, decided by the final text: deltas": [
        ("unknown", "a", "a"), ("unknown", "ab", ""), ("full", "aab", "ab"),
    ],
    "unknown, decided by the final text: snapshots": [
        ("unknown", "a", "a"), ("unknown", "ab", ""), ("full", "ab", "b"),
    ],
    "unknown delta style, then everything again": [
        ("unknown", "0123456789", "0123456789"), ("unknown", "abcdefghij", "abcdefghij"),
        ("unknown", "0123456789abcdefghijk", "k"),
    ],
    "unknown after a snapshot": [("snapshot", "ab", "ab"), ("unknown", "abc", "c"), ("unknown", "abc", "")],
    "half a pair waits for its snapshot": [("snapshot", "a\ud83d", "a"), ("snapshot", "a😀", "😀")],
    "half a pair waits for what is a snapshot": [
        ("unknown", "Look, again\ud83d", "Look, again"),
        ("unknown", "Look, again😀 and", ""),
        ("unknown", "Look, again😀 and again", "😀 and again"),
        ("full", "Look, again😀 and again.", "."),
    ],
    "half a pair waits for what is a delta": [
        ("unknown", "a\ud83d", "a"),
        ("unknown", "\ude00b", "😀b"),
        ("unknown", "c", "c"),
    ],
    "the full text has a pair that came in two deltas": [
        ("delta", "a\ud83d", "a\ud83d"),
        ("delta", "\ude00\ud83d", "\ude00\ud83d"),
        ("delta", "\ude00", "\ude00"),
        ("full", "a😀😀b", "b"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("steps", CASES.values(), ids=CASES)
def test_what_is_new(steps: list[Step]) -> None:
    merged = PartText()
    for method, piece, new in steps:
        assert getattr(merged, f"feed_{method}")(piece) == new


def test_what_is_held_is_read_as_snapshots_in_the_end() -> None:
    merged = PartText()
    assert merged.feed_unknown("a") == "a"
    assert merged.feed_unknown("ab") == ""
    assert merged.flush() == "b"
    assert merged.flush() == ""


def test_no_more_than_a_few_pieces_are_held() -> None:
    """Sixteen times the same short piece: by then they are read as one snapshot, sent again and again."""
    merged = PartText()
    assert [merged.feed_unknown("哈") for _ in range(17)] == ["哈"] + [""] * 16
    assert merged.feed_unknown("哈x") == "x"


def test_is_repeated_by() -> None:
    merged = PartText()
    merged.feed_delta("a")
    merged.feed_delta("b")
    assert merged.is_repeated_by("abc")
    assert not merged.is_repeated_by("a")


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=10), st.integers())
def test_flagged_frames_of_any_kind_give_the_text(pieces: list[str], seed: int) -> None:
    merged, rng, said, given_out = PartText(), Random(seed), "", ""
    for piece in pieces:
        said += piece
        given_out += merged.feed_delta(piece) if rng.random() < 0.5 else merged.feed_snapshot(said)
    assert given_out + merged.feed_full(said) == said
    assert merged.feed_full(said) == merged.flush() == ""


@given(st.lists(st.text(alphabet="ab哈", min_size=1, max_size=3), min_size=1, max_size=30))
def test_unknown_snapshots_with_a_final_text_give_the_text(pieces: list[str]) -> None:
    merged, said, given_out = PartText(), "", ""
    for piece in pieces:
        said += piece
        given_out += merged.feed_unknown(said)
        assert said.startswith(given_out)
    assert given_out + merged.feed_full(said) == said
